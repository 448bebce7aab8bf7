import { describe, expect, it } from 'vitest'
import { readSchemaFolder, shippedSchemaFolder } from '../schema-folder.ts'
import { payloadRemarks, payloadSubject } from './payload-promise.ts'
import { dayMs, type PayloadRelease, payloadReleases } from './versions.ts'

const now = dayMs('2026-11-25')
const field = (name: string, type: unknown) => ({ name, type, default: null })
const version = (number: number, fields: readonly object[]) => ({
  version: number,
  file: `v${number}.avsc`,
  text: JSON.stringify({
    ...{ type: 'record', name: 'OrderEvent' },
    fields: [{ name: 'payload', type: { type: 'record', name: 'OrderPayload', fields } }],
  }),
})
const [a, b] = [field('a', ['null', 'string']), field('b', ['null', 'int'])]

describe('what partners were promised', () => {
  it('is in every version that ships', () => {
    const versions = readSchemaFolder(shippedSchemaFolder)
      .filter(({ subject }) => subject === payloadSubject)
      .map(({ version: number, path, text }) => ({ version: number, file: path, text }))
    expect(payloadRemarks(versions, now)).toEqual([])
  })

  it('cannot go or change its type, and is told once', () => {
    const changed = field('b', ['null', 'string'])
    const remarks = payloadRemarks([version(1, [a, b]), version(2, [changed]), version(3, [changed])], now)
    expect(remarks.map(({ message, since }) => [message, since])).toEqual([
      ['partners get "a" since v1, and it is gone', 2],
      ['partners get "b" as int or null since v1, and it is string or null now', 2],
    ])
  })

  it('is a number as int and as long', () => {
    expect(payloadRemarks([version(1, [b]), version(2, [field('b', ['null', 'long'])])], now)).toEqual([])
  })

  it('ends with the sunset of the last payload version that has it', () => {
    const [v1, v2] = payloadReleases as readonly [PayloadRelease, PayloadRelease]
    const versions = [version(1, [a, b]), version(2, [a, b]), version(3, [a])]
    const ended = { ...v2, deprecated: '2028-01-01', sunset: '2029-01-01' }
    expect(payloadRemarks(versions, dayMs('2028-12-31'), [v1, ended])).toHaveLength(1)
    expect(payloadRemarks(versions, dayMs('2029-01-01'), [v1, ended])).toEqual([])
  })
})
