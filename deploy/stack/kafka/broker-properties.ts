/** The settings of a broker that serves tests and demonstrations: small, quick, and quick to notice a dead peer. */

export interface BrokerAddress {
  /** From 1. */
  readonly id: number
  readonly port: number
  readonly controllerPort: number
}

export interface SecuredListeners {
  readonly saslPort: number
  readonly tlsPort: number
  readonly keystore: string
  readonly password: string
}

export interface BrokerSettings {
  readonly me: BrokerAddress
  readonly all: readonly BrokerAddress[]
  readonly dataDirectory: string
  readonly secured?: SecuredListeners | undefined
  readonly extra?: Readonly<Record<string, string>> | undefined
}

/** As a server.properties file. */
export function brokerProperties({ me, all, dataDirectory, secured, extra }: BrokerSettings): string {
  const replicas = all.length >= 3 ? 3 : 1
  const lines: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': me.id,
    'controller.quorum.voters': all
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    ...listeners(me, secured),
    'log.dirs': dataDirectory,
    'num.partitions': 1,
    'auto.create.topics.enable': 'false',
    ...replication(replicas),
    // Faults come to light in seconds; the defaults are made for slower nights.
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 3000,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
    'log.retention.check.interval.ms': 2000,
    'log.segment.delete.delay.ms': 1000,
    'log.cleaner.backoff.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 8388608,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 4,
    ...extra,
  }
  return `${Object.entries(lines)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`
}

function replication(replicas: number): Record<string, number> {
  const inSync = Math.max(1, replicas - 1)
  return {
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 1,
  }
}

function listeners(
  { port, controllerPort }: BrokerAddress,
  secured: SecuredListeners | undefined,
): Record<string, string> {
  const controller = `CONTROLLER://127.0.0.1:${controllerPort}`
  const open = `PLAINTEXT://127.0.0.1:${port}`
  if (!secured) {
    return {
      listeners: `${open},${controller}`,
      'advertised.listeners': open,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    }
  }
  const asked = `SASL_PLAINTEXT://127.0.0.1:${secured.saslPort},SSL://127.0.0.1:${secured.tlsPort}`
  const sasl = 'listener.name.sasl_plaintext'
  const jaas = 'org.apache.kafka.common.security'
  return {
    listeners: `${open},${asked},${controller}`,
    'advertised.listeners': `${open},${asked}`,
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    [`${sasl}.plain.sasl.jaas.config`]: `${jaas}.plain.PlainLoginModule required ${plainUsers()};`,
    [`${sasl}.scram-sha-256.sasl.jaas.config`]: `${jaas}.scram.ScramLoginModule required;`,
    [`${sasl}.scram-sha-512.sasl.jaas.config`]: `${jaas}.scram.ScramLoginModule required;`,
    // Takes unsigned tokens: {"alg":"none"} and a subject.
    [`${sasl}.oauthbearer.sasl.jaas.config`]: `${jaas}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': secured.keystore,
    'ssl.keystore.password': secured.password,
    'ssl.key.password': secured.password,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // Who comes by the open listener may do anything, so that tests can set up who may not.
    'super.users': `User:ANONYMOUS;User:${securedUsers.admin.name}`,
  }
}

/** Who the listeners that ask know. `stranger` may do nothing until an ACL says so. */
export const securedUsers = {
  admin: { name: 'admin', password: 'admin-secret' },
  stranger: { name: 'stranger', password: 'stranger-secret' },
} as const

const plainUsers = () =>
  Object.values(securedUsers)
    .map(({ name, password }) => `user_${name}="${password}"`)
    .join(' ')
