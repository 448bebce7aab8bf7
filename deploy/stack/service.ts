/** What a service of the stack is: how it is started from packages, and what its users are told about it. */
import type { Packages } from './packages.ts'
import type { PortBook } from './ports.ts'

/** The services by name; `kafka-cluster` has three brokers, to lose one of. */
export const serviceNames = [
  'kafka',
  'kafka-cluster',
  'mariadb',
  'mysql',
  'postgres',
  'connect',
  'dispatch',
  'registry',
  'opensearch',
  'prometheus',
] as const
export type ServiceName = (typeof serviceNames)[number]

/** What a start may use. */
export interface StartContext {
  /** The service's own state; kept between starts. */
  readonly directory: string
  readonly packages: Packages
  readonly ports: PortBook
  /** Where the files of this folder lie: poms, schemas, settings. */
  readonly assets: string
}

/** One process of a service, by its folder; most services have one. */
export interface ServiceNode {
  readonly directory: string
  start(): Promise<void>
}

export interface PreparedService {
  /** By position; brokers of a cluster count from 0. */
  readonly nodes: readonly ServiceNode[]
  /** What a user needs to reach it, as text: `brokers`, `url`, `user` … */
  readonly facts: Readonly<Record<string, string>>
  /** Once, when all nodes run for the first time: schemas, levels. */
  readonly seed?: () => Promise<void>
}

export interface ServiceDefinition {
  readonly name: ServiceName
  /** Started before it. */
  readonly needs: readonly ServiceName[]
  /** Fetches what it is made of and writes its settings; starts nothing. */
  prepare(context: StartContext, variant: ServiceVariant): Promise<PreparedService>
}

/** How one differs from the usual, for those who need an own one. */
export interface ServiceVariant {
  /** Kafka: listeners that ask who is there, beside the open one. */
  readonly secured?: boolean
  /** Kafka: further lines of server.properties; they win. */
  readonly properties?: Readonly<Record<string, string>>
  /** Kafka: arguments of the formatting, as `--feature transaction.version=0`. */
  readonly format?: readonly string[]
}
