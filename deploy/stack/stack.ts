/** A set of services from packages that know each other: started in order of need, each once, and stopped by pid. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from './connect/connect.ts'
import { dispatch } from './dispatch/dispatch.ts'
import { kafka, kafkaCluster } from './kafka/kafka.ts'
import { mariadb } from './mariadb/mariadb.ts'
import { mysql } from './mysql/mysql.ts'
import { opensearch } from './opensearch/opensearch.ts'
import { openPackages, type Packages } from './packages.ts'
import type { PortBook } from './ports.ts'
import { postgres } from './postgres/postgres.ts'
import { pidIn, signalProcess, stopProcess } from './process.ts'
import { prometheus } from './prometheus/prometheus.ts'
import { registry } from './registry/registry.ts'
import type { PreparedService, ServiceDefinition, ServiceName, ServiceVariant } from './service.ts'
import { StackError } from './stack-error.ts'

const definitions: Readonly<Record<ServiceName, ServiceDefinition>> = {
  kafka,
  'kafka-cluster': kafkaCluster,
  mariadb,
  mysql,
  postgres,
  connect,
  dispatch,
  registry,
  opensearch,
  prometheus,
}

export interface StackOptions {
  /** Holds a folder for each service. */
  readonly directory: string
  /** Holds what was fetched; may be shared with other stacks. */
  readonly packagesDirectory: string
  /** This folder's files. */
  readonly assets: string
  readonly ports: PortBook
  readonly variant?: ServiceVariant
  readonly report: (text: string) => void
}

export interface Stack {
  /** Starts it and what it needs; resolves with what its users must know. Running already: only the latter. */
  up(name: ServiceName): Promise<Readonly<Record<string, string>>>
  /** Fetches what it is made of, without starting it. */
  prepare(name: ServiceName): Promise<Readonly<Record<string, string>>>
  /** Stops what runs of it. */
  down(name: ServiceName): Promise<void>
  /** The pids that run, by node; `undefined`: it was never started here. */
  pids(name: ServiceName): readonly (number | undefined)[] | undefined
  /** Stops one node, or kills it. Counted from 0. */
  stopNode(name: ServiceName, node: number, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts one again, on the state it had. */
  startNode(name: ServiceName, node: number): Promise<void>
  /** Freezes or thaws one. */
  signalNode(name: ServiceName, node: number, signal: 'SIGSTOP' | 'SIGCONT'): void
  /** Forgets the state of a service that is down. */
  wipe(name: ServiceName): void
}

export function createStack(options: StackOptions): Stack {
  const { variant = {}, assets, ports, report } = options
  const packages: Packages = openPackages(options.packagesDirectory, report)
  const prepared = new Map<ServiceName, Promise<PreparedService>>()
  const starting = new Map<ServiceName, Promise<void>>()
  const directoryOf = (name: ServiceName) => join(options.directory, name)

  const prepare = (name: ServiceName): Promise<PreparedService> =>
    once(prepared, name, () =>
      definitions[name].prepare({ directory: directoryOf(name), packages, ports, assets }, variant),
    )

  async function start(name: ServiceName): Promise<void> {
    // What is needed starts while this is still being fetched.
    const needed = Promise.all(definitions[name].needs.map(up))
    const service = await prepare(name)
    await needed
    const directory = directoryOf(name)
    mkdirSync(directory, { recursive: true })
    await Promise.all(service.nodes.map((node) => node.start()))
    const seeded = join(directory, 'seeded')
    if (!service.seed || existsSync(seeded)) return
    await service.seed()
    writeFileSync(seeded, '')
  }

  async function up(name: ServiceName) {
    await once(starting, name, () => start(name))
    return (await prepare(name)).facts
  }

  async function nodeOf(name: ServiceName, nth: number) {
    const node = (await prepare(name)).nodes[nth]
    if (node) return node
    throw new StackError(`${name} has no node ${nth}`, 'nodes count from 0')
  }

  return {
    up,
    prepare: async (name) => (await prepare(name)).facts,
    async down(name) {
      starting.delete(name)
      await Promise.all(nodeDirectories(directoryOf(name), name).map((directory) => stopProcess(directory)))
    },
    pids(name) {
      if (!existsSync(directoryOf(name))) return undefined
      return nodeDirectories(directoryOf(name), name).map(pidIn)
    },
    stopNode: async (name, nth, signal = 'SIGTERM') =>
      stopProcess((await nodeOf(name, nth)).directory, signal),
    startNode: async (name, nth) => (await nodeOf(name, nth)).start(),
    signalNode: (name, nth, signal) => {
      const directory = nodeDirectories(directoryOf(name), name)[nth]
      if (directory) signalProcess(directory, signal)
    },
    wipe: (name) => rmSync(directoryOf(name), { recursive: true, force: true }),
  }
}

/** Known without preparing anything: who only stops or looks fetches nothing. */
function nodeDirectories(directory: string, name: ServiceName): string[] {
  if (name === 'kafka') return [join(directory, 'node1')]
  if (name === 'kafka-cluster') return [1, 2, 3].map((node) => join(directory, `node${node}`))
  return [directory]
}

/** Of several who ask at once, one does it; a failure is forgotten, so that the next one tries again. */
function once<Key, Value>(
  doing: Map<Key, Promise<Value>>,
  key: Key,
  work: () => Promise<Value>,
): Promise<Value> {
  const known = doing.get(key)
  if (known) return known
  const started = work()
  doing.set(key, started)
  started.catch(() => doing.delete(key))
  return started
}
