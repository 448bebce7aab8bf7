/** Who may come in, who may do what, and what is said to those who may not. */
import { readFileSync } from 'node:fs'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KafkaAccessError } from './access.ts'
import { type KafkaLog, openKafkaLog } from './kafka-log.ts'
import type { KafkaSecurity } from './security.ts'
import { joinStory } from './testing/group-story.ts'
import { makeTopic, readValues, textRecord } from './testing/reading.ts'
import { type OwnKafka, ownKafka } from './testing/stack-kafka.ts'

let kafka: OwnKafka
const opened: KafkaLog[] = []
beforeAll(async () => {
  kafka = await ownKafka('kafka', { secured: true })
})
afterAll(async () => {
  await Promise.all(opened.map((log) => log.close()))
  await kafka?.release()
})

function open(brokers: string | undefined, security: KafkaSecurity): KafkaLog {
  const { tls, sasl } = security
  const log = openKafkaLog({
    ...{ brokers: (brokers ?? '').split(','), clientId: 'security' },
    ...(tls && { tls }),
    ...(sasl && { sasl }),
  })
  opened.push(log)
  return log
}

const passwordOf = (username: string) => kafka.facts[`password of ${username}`] ?? ''
const login = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', username: string) =>
  ({ mechanism, username, password: passwordOf(username) }) as const

/** A token without a signature, which this broker believes. */
function unsignedToken(subject: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + 3600 })}.`
}

async function refusalOf(promise: Promise<unknown>): Promise<KafkaAccessError> {
  const error: unknown = await promise.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  )
  if (error instanceof KafkaAccessError) return error
  throw error
}

it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
  'writes and reads with SASL %s',
  async (mechanism) => {
    const log = open(kafka.facts.saslBrokers, { sasl: login(mechanism, 'admin') })
    await writeAndRead(log, `as-${mechanism}`)
  },
)

it('writes and reads with a token', async () => {
  const sasl = {
    mechanism: 'oauthbearer',
    oauthBearerProvider: async () => ({ value: unsignedToken('admin') }),
  } as const
  await writeAndRead(open(kafka.facts.saslBrokers, { sasl }), 'as-token')
})

it('writes and reads over TLS', async () => {
  const ca = readFileSync(kafka.facts.caFile ?? '', 'utf8')
  const log = open(kafka.facts.tlsBrokers, { tls: { ca } })
  await writeAndRead(log, 'over-tls')
})

it('refuses a certificate that nobody vouches for', async () => {
  const log = open(kafka.facts.tlsBrokers, { tls: true })
  await expect(log.admin.listTopics()).rejects.toMatchObject({
    kind: 'rejected',
    message: expect.stringMatching(/TLS with broker .* cannot be set up: .*certificate/),
  })
})

it.each(['plain', 'scram-sha-512'] as const)(
  'says at once that a password is wrong (%s)',
  async (mechanism) => {
    const log = open(kafka.facts.saslBrokers, { sasl: { mechanism, username: 'admin', password: 'guessed' } })
    const error = await refusalOf(log.connected())
    expect(error.message).toMatch(
      new RegExp(
        `authentication with ${mechanism.toUpperCase()} at broker 127.0.0.1:\\d+ was refused: .*User:admin`,
      ),
    )
    expect(error.kind).toBe('rejected')
  },
)

describe('a principal without rights', () => {
  let log: KafkaLog
  beforeAll(async () => {
    const admin = open(kafka.facts.brokers, {})
    for (const topic of ['secret', 'readable']) await makeTopic(admin, topic)
    log = open(kafka.facts.saslBrokers, { sasl: login('plain', 'stranger') })
  })

  it.each([
    [
      'a topic that it may not see',
      () => log.admin.endOffsets([{ topic: 'secret', partition: 0 }], 'read_committed'),
      /DESCRIBE.*topic secret/,
    ],
    ['a topic that it may not create', () => makeTopic(log, 'new'), /topic new/],
    ['a group that it may not join', () => joinAsStranger(), /group strangers/],
    [
      'a transactional id that it may not use',
      () => log.writer({ transactionalId: 'strange' }).init(),
      /transactional id strange/,
    ],
  ] as const)('hears the operation, the resource and its own name: %s', async (_, action, words) => {
    const error = await refusalOf(action())
    expect(error.message).toMatch(words)
    expect(error.message).toMatch(/AUTHORIZATION_FAILED/)
    expect(error.principal).toBe('User:stranger')
    expect(error.message).toContain('User:stranger')
  })

  it('may read where an ACL allows it, and hears that it may not write there', async () => {
    await allow('stranger', 'readable', AclOperationTypes.READ)
    // Who may write anywhere may ask for a producer id.
    await allow('stranger', 'elsewhere', AclOperationTypes.WRITE)
    expect(await readValues(log, { topic: 'readable', partition: 0 })).toEqual([])
    const writer = log.writer({ transactionalId: 'unused' })
    const error = await refusalOf(
      writer.append([{ topic: 'readable', partition: 0, records: [textRecord('x')] }]),
    )
    expect(error.message).toMatch(/Produce to readable:0.*TOPIC_AUTHORIZATION_FAILED.*User:stranger/)
  })

  const joinAsStranger = () => joinStory({ log, groupId: 'strangers', instanceId: 's', topics: ['readable'] })
})

async function allow(user: string, topic: string, operation: AclOperationTypes): Promise<void> {
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const permissionType = AclPermissionTypes.ALLOW
  const resource = { resourceType: AclResourceTypes.TOPIC, resourceName: topic }
  await admin.createAcls({
    acl: [
      {
        ...{ ...resource, resourcePatternType: ResourcePatternTypes.LITERAL, permissionType },
        ...{ principal: `User:${user}`, host: '*', operation },
      },
    ],
  })
  await admin.disconnect()
}

async function writeAndRead(log: KafkaLog, topic: string): Promise<void> {
  await log.connected()
  const tp = { topic: await makeTopic(log, topic), partition: 0 }
  const writer = log.writer({ transactionalId: `writer-${topic}` })
  await writer.init()
  const transaction = writer.begin()
  await transaction.append([{ ...tp, records: [textRecord('x')] }])
  await transaction.end('commit')
  expect(await readValues(log, tp)).toEqual(['x'])
  const member = await joinStory({
    log,
    groupId: `group-${topic}`,
    instanceId: `member-${topic}`,
    topics: [topic],
  })
  await member.membership().leave()
}
