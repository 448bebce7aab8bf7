/**
 * From the commit in MariaDB to the webhook at its receiver, through everything that is real: Debezium on Kafka
 * Connect, Kafka, the registry, PostgreSQL with the delivery log, and one instance with all roles; each stage's share.
 * Run after a build: `node dist/bench/stack/latency.js [orders a second] [seconds]`.
 */
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { openRegistry } from '../../connectors/registry/open-registry.ts'
import { openKafkaLog, systemClock } from '../../engine/index.ts'
import { readSchemaFolder, shippedSchemaFolder } from '../../schemas/index.ts'
import { type InstanceProcess, startInstance, until } from '../../test/several/processes.ts'
import { stackFolder } from '../../test/stack/stack-instance.ts'
import { percentile } from '../support/figures.ts'
import { eventsPerOrder, openOrderWriter } from './order-writer.ts'
import { openRealStack, type RealStack } from './real-stack.ts'
import { type StageWatch, stageNames, watchStages } from './stage-watch.ts'
import { receiveWebhooks, type Webhooks } from './webhooks.ts'

const perSecond = Number(process.argv[2] ?? 20)
const seconds = Number(process.argv[3] ?? 120)
/** Before that, programs are compiled and caches filled. */
const warmUpMs = 20_000
const partners = ['acme-retail', 'bluebird', 'corner-shop', 'dosa-point']
const program = fileURLToPath(new URL('../../../bin/waybill.js', import.meta.url))

/** What is open, to be closed in the opposite order however the run ends. */
const closers: (() => Promise<unknown>)[] = []
try {
  await measure()
} finally {
  for (const close of closers.toReversed()) await close()
}

async function measure() {
  const stack = await openRealStack(['kafka', 'mariadb', 'postgres', 'registry', 'connect'])
  closers.push(stack.close)
  const webhooks = await receiveWebhooks()
  closers.push(webhooks.close)
  const log = openKafkaLog({ brokers: [stack.fact('kafka', 'brokers')], clientId: 'bench', report })
  closers.push(() => log.close())
  await log.connected()
  const instance = await startWaybill(stack, webhooks.url)
  const registry = await openRegistry({
    ...{ address: { url: stack.fact('registry', 'url') }, levels: {}, clock: systemClock, report },
    own: readSchemaFolder(shippedSchemaFolder),
  })
  closers.push(() => registry.close())
  const stages = watchStages(log, registry)
  closers.push(stages.stop)
  const writer = await openOrderWriter(databaseOf(stack), partners)
  closers.push(writer.close)

  await writer.run({ perSecond, forMs: warmUpMs })
  const warm = new Set(writer.committed.keys())
  const cpuBefore = instance.cpuSeconds()
  const startedAt = performance.now()
  await writer.run({ perSecond, forMs: seconds * 1000 })
  await until(() => webhooks.received.size >= writer.committed.size, {
    ...{ what: 'the last webhooks', withinMs: 60_000 },
    about: () =>
      `${webhooks.received.size} of ${writer.committed.size} came. ${instance.text().slice(-2000)}`,
  })
  const measured = [...writer.committed].filter(([key]) => !warm.has(key))
  const cores = ((instance.cpuSeconds() - cpuBefore) * 1000) / (performance.now() - startedAt)
  print(measured, stages, webhooks)
  process.stdout.write(`CPU of the instance: ${cores.toFixed(2)} of a core\n`)
}

/** Captures the database, and runs one instance of everything. */
async function startWaybill(stack: RealStack, receiverUrl: string): Promise<InstanceProcess> {
  const brokers = [stack.fact('kafka', 'brokers')]
  const registryUrl = stack.fact('registry', 'url')
  const databaseUrl = stack.fact('postgres', 'url')
  const folder = await stackFolder({ brokers, databaseUrl, registryUrl, receiverUrl, partners })
  closers.push(folder.close)
  folder.write(
    'bench.yaml',
    `partners: partners.yaml
format: json
kafka: { brokers: ["${brokers[0]}"], standbys: 0 }
registry: { url: "${registryUrl}" }
api: { auth: none, port: 0 }
egress: { allow_http: true, allowed_networks: [127.0.0.0/8] }
`,
  )
  const run = async (...args: string[]) => {
    const { code, out, err } = await folder.waybill(...args)
    if (code !== 0) throw new Error(`waybill ${args.join(' ')}: ${out}${err}`)
  }
  await run('topology', 'apply', '--config', 'bench.yaml')
  await run('connectors', 'apply', '--database', 'mariadb', '--connect', stack.fact('connect', 'url'))
  const instance = startInstance({
    args: [program, 'run', '--config', 'bench.yaml', '--data-dir', 'data', '--key-file', 'keys.json'],
    cwd: folder.folder,
    // As the container image and docs/running.md have it.
    env: { WAYBILL_DATABASE_URL: databaseUrl, MALLOC_ARENA_MAX: '2' },
  })
  closers.push(async () => {
    if (instance.isRunning()) await instance.kill()
  })
  await instance.says('the API listens on')
  return instance
}

function databaseOf(stack: RealStack) {
  const fact = (name: string) => stack.fact('mariadb', name)
  return {
    host: fact('host'),
    port: Number(fact('port')),
    writer: { user: fact('writer'), password: fact('writerPassword') },
    capturer: { user: fact('capturer'), password: fact('capturerPassword') },
  }
}

function report(message: string) {
  process.stderr.write(`${message}\n`)
}

function print(measured: readonly [string, number][], stages: StageWatch, webhooks: Webhooks) {
  const points = [
    ...stageNames.map((name) => [name, stages.passed[name]] as const),
    ['received', webhooks.received] as const,
  ]
  const labels = [
    'commit → captured (Debezium, Connect)',
    '→ normalized',
    '→ enriched',
    '→ routed',
    '→ received',
  ]
  const line = (label: string, values: readonly number[]) => {
    const show = (value: number) => value.toFixed(0).padStart(6)
    return `${label.padEnd(40)} ${[0.5, 0.9, 0.99, 1].map((share) => show(percentile(values, share))).join('')}\n`
  }
  const shares = points.map(([, passed], nth) =>
    measured.flatMap(([key, committedAt]) => {
      const from = nth === 0 ? committedAt : points[nth - 1]?.[1].get(key)
      const to = passed.get(key)
      return from === undefined || to === undefined ? [] : [to - from]
    }),
  )
  const totals = measured.flatMap(([key, at]) => {
    const to = webhooks.received.get(key)
    return to === undefined ? [] : [to - at]
  })
  process.stdout.write(
    `${cpus()[0]?.model} × ${cpus().length}, Node ${process.versions.node}; node dist/bench/stack/latency.js ${perSecond} ${seconds}\n` +
      `${perSecond} orders/s of ${eventsPerOrder} events each, ${totals.length} webhooks, ${webhooks.repeats()} repeats; ms at p50, p90, p99, most\n` +
      shares.map((values, nth) => line(labels[nth] ?? '', values)).join('') +
      line('commit in MariaDB → webhook received', totals) +
      'goal: p50 ≤ 500 ms, p99 ≤ 1500 ms\n',
  )
}
