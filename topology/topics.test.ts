import { describe, expect, it } from 'vitest'
import { UndecodableError } from '../engine/index.ts'
import { makeCodecs, openFolderRegistry } from '../schemas/index.ts'
import { makeTopics, retryTiers, serde, sharedEndpointPartitions } from './topics.ts'

const codecs = makeCodecs(openFolderRegistry())
const topics = makeTopics(codecs)
const dayMs = 24 * 3600 * 1000

describe('the topics', () => {
  it('are kept as the contract says', () => {
    const kept = Object.fromEntries(
      Object.values(topics).map(({ name, config }) => [
        name,
        `${config.cleanup} ${config.retentionMs / dayMs} ${config.timestampType}`,
      ]),
    )
    const forEver = -1 / dayMs
    expect(kept).toEqual({
      'cdc.oms.orders': 'delete 3 create',
      'cdc.dispatch.assignments': 'delete 3 create',
      'orders.changes': 'purge 7 create',
      'dispatch.changes': 'purge 7 create',
      'order.events': 'purge 30 create',
      'order.commands': 'purge 7 create',
      'order.gaps': `compact ${forEver} create`,
      'ingest.progress': `compact ${forEver} create`,
      'partner.config': `compact ${forEver} create`,
      deliveries: 'purge 7 create',
      'delivery.commands': 'purge 7 create',
      'deliveries.retry.30s': 'purge 7 append',
      'deliveries.retry.2m': 'purge 7 append',
      'deliveries.retry.8m': 'purge 7 append',
      'deliveries.dead': 'delete 30 create',
      'delivery.history': 'delete 30 create',
      'deliveries.redrives': `compact ${forEver} create`,
      'routing.verdicts': 'delete 30 create',
      'endpoint.health': `compact ${forEver} create`,
      undecodable: 'delete 30 create',
    })
  })

  it('have names that Kafka takes and that differ also where it tells . from _ no more', () => {
    const names = Object.values(topics).map((topic) => topic.name)
    for (const name of names) expect(name).toMatch(/^[a-z0-9.]{1,100}$/)
    expect(new Set(names.map((name) => name.replaceAll('.', '_'))).size).toBe(names.length)
  })

  it('keyed by endpoint all have one partition count, which the log chooses unless told', () => {
    const counts = (made: typeof topics) =>
      [made.deliveries, made.deliveryCommands, made.retry30s, made.retry2m, made.retry8m].map(
        (topic) => topic.partitions,
      )
    expect(new Set(counts(topics))).toEqual(new Set([undefined]))
    const shared = makeTopics(codecs, { endpointPartitions: sharedEndpointPartitions })
    expect(new Set(counts(shared))).toEqual(new Set([24]))
    expect(shared.orderChanges.partitions).toBe(shared.assignmentChanges.partitions)
  })

  it('of delays are one delay each, in rising order, as their names say', () => {
    const delays = retryTiers(topics).map(({ topic, delayMs }) => [topic.name.split('.').at(-1), delayMs])
    expect(delays).toEqual([
      ['30s', 30_000],
      ['2m', 120_000],
      ['8m', 480_000],
    ])
  })
})

describe('the serde of a codec', () => {
  it('calls unreadable bytes undecodable, with the reason of the codec', () => {
    for (const [bytes, reason] of [
      [null, 'null'],
      [Buffer.from('{}'), 'too_short'],
      [Buffer.from('{"a":1}'), 'bad_magic'],
    ] as const) {
      try {
        topics.retry30s.value.deserialize(bytes)
        expect.unreachable()
      } catch (error) {
        expect(error).toBeInstanceOf(UndecodableError)
        expect((error as UndecodableError).reason).toBe(reason)
      }
    }
  })

  it('lets bugs through as they are', () => {
    const bug = new TypeError('a bug')
    const broken = serde({
      ...codecs.retryTicket,
      deserialize: () => {
        throw bug
      },
    })
    expect(() => broken.deserialize(new Uint8Array())).toThrow(bug)
  })
})
