/**
 * What partners notice when instances die or are replaced, on a real broker: `waybill run` in processes, orders that
 * come in steadily, and the time from the change in its topic to the webhook.
 *
 *   kill     two instances with standbys, SIGKILL for one: when each moved partition delivers again
 *   rolling  three instances, stopped and started one after the other: the latency of everything meanwhile
 *
 * Run after a build: `node dist/bench/stack/failover.js [kill,rolling] [orders a second] [runs]`.
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { partitionFor, partitionKey, type TopicPartition } from '../../engine/index.ts'
import { pause, until } from '../../test/several/processes.ts'
import { pipelineName } from '../../topology/pipeline.ts'
import { figure, percentile } from '../support/figures.ts'
import { type Fleet, openFleet } from './fleet.ts'
import { preciseNow } from './order-writer.ts'

const wanted = (process.argv[2] ?? 'kill,rolling').split(',')
const perSecond = Number(process.argv[3] ?? 20)
const runs = Number(process.argv[4] ?? 3)
/** As in engine/runtime/session.ts. */
const sessionTimeoutMs = 10_000
const warmUpMs = 15_000
/** So many partitions of each kind: few enough that each sees an order every second or so. */
const partitions = 6

process.stdout.write(
  `${cpus()[0]?.model} × ${cpus().length}, Node ${process.versions.node}; node dist/bench/stack/failover.js ${wanted.join()} ${perSecond} ${runs}\n`,
)
if (wanted.includes('kill')) await killed()
if (wanted.includes('rolling')) await rolled()

async function killed() {
  const lasts: number[] = []
  const firsts: number[] = []
  for (let run = 0; run < runs; run++) {
    const fleet = await openFleet({ names: ['a', 'b'], standbys: 1, partitions })
    try {
      const stopFeeding = fleet.feed(perSecond)
      await pause(warmUpMs)
      const moved = await ownedBy(fleet, 'a')
      const killedAt = await fleet.kill('a')
      await pause(sessionTimeoutMs + 10_000)
      await stopFeeding()
      await allCame(fleet)
      const again = moved.map((tp) => firstThrough(fleet, tp, killedAt) - killedAt)
      lasts.push(Math.max(...again))
      firsts.push(Math.min(...again))
      process.stdout.write(
        `kill ${run + 1}: ${moved.length} partitions moved; first delivery through each after ${again
          .map((ms) => (ms / 1000).toFixed(1))
          .toSorted()
          .join(' ')} s; ${fleet.webhooks.repeats()} repeats\n`,
      )
    } finally {
      await fleet.close()
    }
  }
  process.stdout.write(
    `${figure('kill -9 → the first moved partition', 'ms', firsts)}\n` +
      `${figure('kill -9 → the last moved partition', 'ms', lasts)} goal ≤ ${sessionTimeoutMs + 2000} ms\n`,
  )
}

async function rolled() {
  const names = ['a', 'b', 'c']
  const p99s: number[] = []
  const longest: number[] = []
  for (let run = 0; run < runs; run++) {
    const fleet = await openFleet({ names, standbys: 1, partitions })
    try {
      const stopFeeding = fleet.feed(perSecond)
      await pause(warmUpMs)
      const from = preciseNow()
      for (const name of names) {
        await fleet.stop(name)
        fleet.start(name)
        await fleet.membersAre(names.length)
        await pause(5000)
      }
      await stopFeeding()
      await allCame(fleet)
      const latencies = [...fleet.fed].flatMap(([key, { at }]) =>
        at < from ? [] : [(fleet.webhooks.received.get(key) ?? Number.NaN) - at],
      )
      p99s.push(percentile(latencies, 0.99))
      longest.push(Math.max(...latencies))
      process.stdout.write(
        `rolling ${run + 1}: ${latencies.length} webhooks, p50 ${percentile(latencies, 0.5).toFixed(0)} ms, ` +
          `p99 ${percentile(latencies, 0.99).toFixed(0)} ms, ${fleet.webhooks.repeats()} repeats, none lost\n`,
      )
    } finally {
      await fleet.close()
    }
  }
  process.stdout.write(
    `${figure('rolling restart, p99 of appended → received', 'ms', p99s)} goal ≤ 3000 ms\n` +
      `${figure('rolling restart, longest', 'ms', longest)}\n`,
  )
}

function allCame(fleet: Fleet): Promise<void> {
  return until(() => fleet.webhooks.received.size >= fleet.fed.size, {
    ...{ what: 'all webhooks', withinMs: 60_000 },
    about: () => `${fleet.webhooks.received.size} of ${fleet.fed.size} came`,
  })
}

/** Partitions whose last commit names the instance. */
async function ownedBy(fleet: Fleet, name: string): Promise<TopicPartition[]> {
  const id = readFileSync(join(fleet.directory, name, 'instance-id'), 'utf8').trim()
  const all = fleet.path.flatMap(({ topic }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  )
  const committed = await fleet.log.admin.committedOffsets(pipelineName, all, { requireStable: false })
  return all.filter((tp) => committed.get(partitionKey(tp))?.metadata.endsWith(`;${id}`))
}

/** When the first webhook came of a change that was appended after `since` and passes this partition. */
function firstThrough(fleet: Fleet, { topic, partition }: TopicPartition, since: number): number {
  const stage = fleet.path.find((each) => each.topic === topic)
  let first = Number.POSITIVE_INFINITY
  for (const [key, fed] of fleet.fed) {
    if (!stage || fed.at < since || partitionFor(Buffer.from(stage.keyOf(fed)), partitions) !== partition)
      continue
    first = Math.min(first, fleet.webhooks.received.get(key) ?? Number.POSITIVE_INFINITY)
  }
  return first
}
