/**
 * The one way by which a `*.stack.test.ts` gets a real service: `await service('kafka')`. Each is started when it is
 * first asked for and shared by the whole run; who kills or freezes one, or needs other settings, takes an own one.
 */
import { inject } from 'vitest'
import type { ServiceName, ServiceVariant } from '../../deploy/stack/service.ts'
import type { ControlAnswer, ControlRequest } from './control-server.ts'

/** What is known of each service. */
export interface ServiceFacts {
  kafka: KafkaFacts
  'kafka-cluster': KafkaFacts
  mariadb: SqlFacts
  /** Only where the machine has one or Debian's sid can be reached. */
  mysql: SqlFacts
  postgres: {
    readonly host: string
    readonly port: number
    /** An empty database for the delivery log, and who owns it. */
    readonly url: string
    /** The order system's database, as superuser. */
    readonly omsUrl: string
  }
  connect: { readonly url: string; readonly brokers: readonly string[] }
  dispatch: { readonly address: string }
  registry: { readonly url: string }
  opensearch: { readonly url: string }
  prometheus: { readonly url: string; readonly promtool: string }
}

export interface SqlFacts {
  readonly host: string
  readonly port: number
  /** May write orders and assignments. */
  readonly writer: Login
  /** May read the binlog, as Debezium does. */
  readonly capturer: Login
}

export interface Login {
  readonly user: string
  readonly password: string
}

export interface KafkaFacts {
  /** No questions asked; whoever comes here may do everything. */
  readonly brokers: readonly string[]
  /** Of a secured one: SASL without TLS, and TLS without SASL. */
  readonly secured?: {
    readonly saslBrokers: readonly string[]
    readonly tlsBrokers: readonly string[]
    /** PEM. */
    readonly caFile: string
    /** May do everything. PLAIN and SCRAM-SHA-256 and -512 know both. */
    readonly admin: Login
    /** May do nothing until an ACL allows it. */
    readonly stranger: Login
  }
}

export type Service<Name extends ServiceName> = ServiceFacts[Name]

/** One that nobody else uses, with a hand on its processes. */
export type OwnService<Name extends ServiceName> = ServiceFacts[Name] & {
  /** SIGTERM, and waits for the end. Nodes count from 0; most services have one. */
  stop(node?: number): Promise<void>
  /** SIGKILL. */
  kill(node?: number): Promise<void>
  /** Starts a node again on the data it had, and waits until it serves. */
  start(node?: number): Promise<void>
  /** SIGSTOP and SIGCONT. */
  freeze(node?: number): Promise<void>
  thaw(node?: number): Promise<void>
  /** Stops all of it. */
  release(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** The run's shared one; started with what it needs if nobody asked before. */
export async function service<Name extends ServiceName>(name: Name): Promise<Service<Name>> {
  const { facts } = await ask({ action: 'up', name })
  return factsOf(name, facts)
}

/** Why a service cannot be had on this machine, for tests that are skipped then; `undefined`: it can. */
export async function whyNot(name: ServiceName): Promise<string | undefined> {
  return ask({ action: 'prepare', name }).then(
    () => undefined,
    (error: Error) => error.message,
  )
}

/**
 * A private one with what it needs, always from packages. `serviceBeside` adds to the set: an own `connect` comes with
 * a Kafka of its own, and reads the databases beside it.
 */
export async function ownService<Name extends ServiceName>(
  name: Name,
  variant: ServiceVariant = {},
): Promise<OwnService<Name>> {
  const { facts, set } = await ask({ action: 'own', name, variant })
  return ownedBy(name, facts, set)
}

/** A second service of the same private set: the database of an own `connect`, its `kafka`. */
export async function serviceBeside<Name extends ServiceName>(
  own: OwnService<ServiceName>,
  name: Name,
): Promise<OwnService<Name>> {
  const set = setsOfOwn.get(own)
  const { facts } = await ask({ action: 'up', name, ...(set !== undefined && { set }) })
  return ownedBy(name, facts, set)
}

const setsOfOwn = new WeakMap<object, string>()

function ownedBy<Name extends ServiceName>(
  name: Name,
  facts: Readonly<Record<string, string>>,
  set: string | undefined,
): OwnService<Name> {
  const tell = (action: ControlRequest['action']) => async (node?: number) => {
    await ask({ action, name, ...(set !== undefined && { set }), ...(node !== undefined && { node }) })
  }
  const own = {
    ...factsOf(name, facts),
    stop: tell('stop'),
    kill: tell('kill'),
    start: tell('start'),
    freeze: tell('freeze'),
    thaw: tell('thaw'),
    release: () => tell('release')(),
    [Symbol.asyncDispose]: () => tell('release')(),
  }
  if (set !== undefined) setsOfOwn.set(own, set)
  return own
}

async function ask(request: ControlRequest): Promise<Extract<ControlAnswer, { facts: unknown }>> {
  const response = await fetch(inject('stackControlUrl'), { method: 'POST', body: JSON.stringify(request) })
  const answer = (await response.json()) as ControlAnswer
  if ('error' in answer) throw new Error(answer.error)
  return answer
}

type Facts = Readonly<Record<string, string>>

function factsOf<Name extends ServiceName>(name: Name, facts: Facts): ServiceFacts[Name] {
  return readers[name](facts)
}

const readers: { readonly [Name in ServiceName]: (facts: Facts) => ServiceFacts[Name] } = {
  kafka: kafkaFacts,
  'kafka-cluster': kafkaFacts,
  mariadb: sqlFacts,
  mysql: sqlFacts,
  postgres: (facts) => ({
    host: text(facts, 'host'),
    port: Number(text(facts, 'port')),
    url: text(facts, 'url'),
    omsUrl: text(facts, 'omsUrl'),
  }),
  connect: (facts) => ({ url: text(facts, 'url'), brokers: text(facts, 'brokers').split(',') }),
  dispatch: (facts) => ({ address: text(facts, 'address') }),
  registry: (facts) => ({ url: text(facts, 'url') }),
  opensearch: (facts) => ({ url: text(facts, 'url') }),
  prometheus: (facts) => ({ url: text(facts, 'url'), promtool: text(facts, 'promtool') }),
}

function kafkaFacts(facts: Facts): KafkaFacts {
  const login = (user: string) => ({ user, password: text(facts, `password of ${user}`) })
  return {
    brokers: text(facts, 'brokers').split(','),
    ...(facts.caFile !== undefined && {
      secured: {
        saslBrokers: text(facts, 'saslBrokers').split(','),
        tlsBrokers: text(facts, 'tlsBrokers').split(','),
        caFile: facts.caFile,
        admin: login('admin'),
        stranger: login('stranger'),
      },
    }),
  }
}

function sqlFacts(facts: Facts): SqlFacts {
  return {
    host: text(facts, 'host'),
    port: Number(text(facts, 'port')),
    writer: { user: text(facts, 'writer'), password: text(facts, 'writerPassword') },
    capturer: { user: text(facts, 'capturer'), password: text(facts, 'capturerPassword') },
  }
}

function text(facts: Facts, key: string): string {
  const found = facts[key]
  if (found === undefined) throw new Error(`the service did not say its ${key}`)
  return found
}
