import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TopicConfig } from '../port.ts'
import { kafkaSettings, topicConfigOf } from './topic-configs.ts'

/** As a broker tells them: what was set, and its defaults for the rest. */
const asTold = (settings: ReadonlyMap<string, string>) =>
  new Map([
    ['delete.retention.ms', { value: '86400000', own: false }],
    ...[...settings].map(([name, value]) => [name, { value, own: true }] as const),
  ])

describe('the settings of a topic', () => {
  it('say every configuration so that it can be read back', () => {
    const config: fc.Arbitrary<TopicConfig> = fc.record({
      cleanup: fc.constantFrom('delete', 'compact', 'purge'),
      retentionMs: fc.oneof(fc.constant(-1), fc.nat()),
      timestampType: fc.constantFrom('create', 'append'),
      maxRecordBytes: fc.integer({ min: 100, max: 2 ** 30 }),
    })
    fc.assert(
      fc.property(config, (each) => {
        expect(topicConfigOf(asTold(kafkaSettings(each, 2)))).toEqual(each)
      }),
      { seed: 20_260_401 },
    )
  })

  it('of a topic that somebody else made are read as what they amount to', () => {
    const told = new Map([
      ['cleanup.policy', { value: 'compact,delete', own: true }],
      ['retention.ms', { value: '604800000', own: false }],
      ['max.message.bytes', { value: '1048588', own: false }],
    ])
    expect(topicConfigOf(told)).toEqual({
      cleanup: 'compact',
      retentionMs: 604_800_000,
      timestampType: 'create',
      maxRecordBytes: 1_048_572,
    })
  })

  it('never let a purged topic expire by itself', () => {
    const settings = kafkaSettings(
      { cleanup: 'purge', retentionMs: 1000, timestampType: 'create', maxRecordBytes: 1000 },
      1,
    )
    expect(settings.get('retention.ms')).toBe('-1')
    expect(settings.get('retention.bytes')).toBe('-1')
  })
})
