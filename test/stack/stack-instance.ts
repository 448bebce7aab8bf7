/** Waybill on the stack's real services, by its own command line: configuration, keys, partners, and a receiver. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { openRegistryAdmin } from '../../connectors/registry/registry-admin.ts'
import { systemRandom } from '../../engine/index.ts'
import { readLevelPolicy, readSchemaFolder, shippedSchemaFolder } from '../../schemas/index.ts'

export interface StackPlace {
  readonly brokers: readonly string[]
  /** `undefined`: no delivery log, and no API. */
  readonly databaseUrl?: string
  readonly registryUrl?: string
  /** Where webhooks go. */
  readonly receiverUrl: string
  readonly partners: readonly string[]
  /** Further groups of the configuration, as YAML. */
  readonly yaml?: string
}

export interface StackFolder {
  readonly folder: string
  /** Runs a command to its end. */
  waybill(...args: string[]): Promise<{ code: number; out: string; err: string }>
  /** `waybill run` as one instance with a data directory of its own. */
  run(name: string, ...args: string[]): StackInstance
  /** The same with another configuration in the folder. */
  runWith(file: string, name: string, ...args: string[]): StackInstance
  write(file: string, text: string): void
  close(): Promise<void>
}

export interface StackInstance {
  /** Where the API listens; rejects when the instance ends before. */
  url(): Promise<string>
  err(): string
  readonly ended: Promise<number>
  /** SIGTERM. */
  stop(): Promise<number>
}

export const signingSecret = `whsec_${Buffer.alloc(24, 9).toString('base64')}`

export async function stackFolder(place: StackPlace): Promise<StackFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-on-stack-'))
  writeFileSync(join(folder, 'waybill.yaml'), configuration(place))
  writeFileSync(join(folder, 'partners.yaml'), partnersYaml(place))
  const env = { ...(place.databaseUrl !== undefined && { WAYBILL_DATABASE_URL: place.databaseUrl }) }
  const surroundings = () => ({ ...capturedSurroundings({ cwd: folder, env }), random: systemRandom })
  const running = new Set<StackInstance>()

  const waybill = async (...args: string[]) => {
    const around = surroundings()
    const code = await runCommand(args, around)
    return { code, out: around.stdout.text(), err: around.stderr.text() }
  }
  const keys = await waybill('keys', 'new', 'keys.json')
  if (keys.code !== 0) throw new Error(keys.err)
  if (place.registryUrl !== undefined) await registerSchemas(place.registryUrl)

  function runWith(file: string, name: string, ...args: string[]): StackInstance {
    const around = surroundings()
    mkdirSync(join(folder, name), { recursive: true })
    const ended = runCommand(
      ['run', '--config', file, '--data-dir', name, '--key-file', 'keys.json', ...args],
      around,
    )
    let code: number | undefined
    void ended.then((with_) => {
      code = with_
    })
    const instance: StackInstance = {
      ended,
      err: () => around.stderr.text(),
      async url() {
        for (;;) {
          const found = /the API listens on (\S+)/.exec(around.stderr.text())?.[1]
          if (found !== undefined) return found
          if (code !== undefined) throw new Error(`it ended with ${code}: ${around.stderr.text()}`)
          await pause(50)
        }
      },
      async stop() {
        around.end('SIGTERM')
        running.delete(instance)
        return ended
      },
    }
    running.add(instance)
    return instance
  }

  return {
    folder,
    waybill,
    write: (file, text) => writeFileSync(join(folder, file), text),
    run: (name, ...args) => runWith('waybill.yaml', name, ...args),
    runWith,
    async close() {
      await Promise.all([...running].map((instance) => instance.stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const configuration = ({ brokers, registryUrl, databaseUrl, yaml = '' }: StackPlace): string => `
partners: partners.yaml
format: json
kafka: { brokers: [${brokers.map((broker) => `"${broker}"`).join()}], partitions: 4, endpoint_partitions: 4, standbys: 0 }
${registryUrl === undefined ? '' : `registry: { url: "${registryUrl}" }`}
api: { auth: none, port: 0, enabled: ${databaseUrl !== undefined} }
egress: { allow_http: true, allowed_networks: [127.0.0.0/8] }
${yaml}`

const partnersYaml = ({ partners, receiverUrl }: StackPlace): string =>
  `partners:\n${partners
    .map(
      (id) =>
        `  - id: ${id}\n    endpoints: [{ id: ${id}-1, url: "${receiverUrl}", secret: "${signingSecret}", max_concurrent: 16 }]\n`,
    )
    .join('')}`

/** What `waybill schemas apply` would do: nothing that runs registers anything by itself. */
async function registerSchemas(url: string): Promise<void> {
  const admin = openRegistryAdmin({ url })
  const policy = readLevelPolicy(shippedSchemaFolder)
  try {
    for (const { subject, text } of readSchemaFolder(shippedSchemaFolder)) {
      await admin.setLevel(subject, policy.levelOf(subject))
      await admin.register(subject, text)
    }
  } finally {
    await admin.close()
  }
}

/** Looks until it is so; what it was waiting for is told when it never is. */
export async function eventually(isSo: () => boolean | Promise<boolean>, what: string, timeoutMs = 60_000) {
  const endsAt = performance.now() + timeoutMs
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`)
    await pause(20)
  }
}
