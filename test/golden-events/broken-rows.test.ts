/**
 * Broken and partial rows in a real recording: whatever is wrong with some records, the run goes on, each is either
 * taken or refused with a reason, and orders whose records are sound tell their stories as before.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CapturedLine, defaultMapping, readCaptured, runCaptured, storyOf } from './captured-run.ts'

const mapping = defaultMapping()
const lines = readCaptured(['mariadb/02-happy-path.jsonl', 'mariadb/03-attempts-and-returns.jsonl'])
const sound = runCaptured(lines, mapping)

interface Message {
  op: unknown
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}

const messageOf = (line: CapturedLine): Message => JSON.parse(line.value ?? 'null')

/** The order that a line is about. */
function orderOf(line: CapturedLine): string {
  const { before, after } = messageOf(line)
  const row = after ?? before ?? {}
  return String(line.topic.endsWith('.orders') ? row.id : row.order_id)
}

const columns = [...new Set(lines.flatMap((line) => Object.keys(messageOf(line).after ?? {})))]
const sourceFields = ['name', 'connector', 'ts_ms', 'snapshot', 'gtid', 'file', 'pos', 'row', 'server_id']
const oddValues = fc.constantFrom<unknown>({}, [], null, 1.5, 2 ** 60, -1, 'x', '', true)
const withAfter = (message: Message, change: (row: Record<string, unknown>) => void) => {
  const after = { ...message.after }
  change(after)
  return { ...message, after }
}

function withMember(text: string, part: string, name: string, value: unknown): string {
  const message = JSON.parse(text)
  return JSON.stringify({ ...message, [part]: message[part] && { ...message[part], [name]: value } })
}

/** Ways in which a record can be broken; each takes a line and gives its value anew. */
const breakage = fc.oneof(
  fc.double({ min: 0, max: 0.99, noNaN: true }).map((share) => ({
    how: 'cut off',
    break: (text: string) => text.slice(0, Math.floor(text.length * share)),
  })),
  fc.constantFrom(...columns).map((column) => ({
    how: `without ${column}`,
    break: (text: string) => JSON.stringify(withAfter(JSON.parse(text), (row) => delete row[column])),
  })),
  fc
    .tuple(fc.constantFrom('after', 'before'), fc.constantFrom(...columns), oddValues)
    .map(([part, column, value]) => ({
      how: `with ${part}.${column} ${JSON.stringify(value)}`,
      // Another id would make it a sound row of another order.
      break: (text: string) =>
        column === 'id' || column === 'order_id' ? text : withMember(text, part, column, value),
    })),
  fc.tuple(fc.constantFrom(...sourceFields), oddValues).map(([field, value]) => ({
    how: `with source.${field} ${JSON.stringify(value)}`,
    break: (text: string) => withMember(text, 'source', field, value),
  })),
  fc
    .constantFrom<Partial<Message>>({ before: null }, { after: null }, { op: 'x' }, { op: null })
    .map((over) => ({
      how: JSON.stringify(over),
      break: (text: string) => JSON.stringify({ ...JSON.parse(text), ...over }),
    })),
)

describe('records that are broken', () => {
  it('harm no order but their own (property)', () => {
    const breakages = fc.array(fc.record({ at: fc.nat({ max: lines.length - 1 }), with: breakage }), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(breakages, (broken) => {
        const changed = [...lines]
        const harmed = new Set<string>()
        for (const { at, with: how } of broken) {
          const line = lines[at]
          if (!line?.value) continue
          harmed.add(orderOf(line))
          changed[at] = { ...line, value: how.break(line.value) }
        }
        const run = runCaptured(changed, mapping)
        const refused = [...run.asides].filter(([word]) => word.startsWith('undecodable'))
        expect(refused.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(broken.length)
        const others = new Set(lines.map(orderOf).filter((order) => !harmed.has(order)))
        for (const order of others) expect(storyOf(run, order), order).toEqual(storyOf(sound, order))
      }),
      { numRuns: 60 },
    )
  })

  it('that cannot be read are refused for what is wrong with them', () => {
    const at = lines.findIndex((line) => line.topic.endsWith('.orders'))
    const reasonOf = (change: (text: string) => string) => {
      const changed = lines.map((line, index) =>
        index === at ? { ...line, value: change(line.value ?? '') } : line,
      )
      return [...runCaptured(changed, mapping).asides].map(([word, count]) => `${word} ${count}`)
    }
    const edit = (over: Partial<Message>) => (text: string) =>
      JSON.stringify({ ...JSON.parse(text), ...over })
    const row = (change: (row: Record<string, unknown>) => void) => (text: string) =>
      JSON.stringify(withAfter(JSON.parse(text), change))
    expect([
      reasonOf((text) => text.slice(0, 100)),
      reasonOf(() => '{"id":1101}'),
      reasonOf(edit({ op: 'x' })),
      reasonOf(edit({ after: null })),
      reasonOf(row((after) => delete after.status)),
      reasonOf(
        row((after) => {
          after.status = 'LOST'
        }),
      ),
      reasonOf(
        row((after) => {
          after.attempt_no = 'two'
        }),
      ),
      reasonOf(
        row((after) => {
          after.id = null
        }),
      ),
      reasonOf(
        row((after) => {
          after.partner_id = ''
        }),
      ),
    ]).toEqual([
      ['undecodable not_json 1'],
      ['undecodable not_an_envelope 1'],
      ['undecodable unknown_op 1'],
      ['undecodable no_after 1'],
      ['undecodable missing_column 1'],
      ['undecodable unknown_status 1'],
      ['undecodable wrong_type 1'],
      ['undecodable no_order_id 1'],
      ['undecodable no_partner 1'],
    ])
  })
})
