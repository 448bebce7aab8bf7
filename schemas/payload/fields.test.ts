import { describe, expect, it } from 'vitest'
import type { OrderPayload } from '../generated/types.ts'
import { exampleSource } from '../testing/example-source.ts'
import {
  applicableFields,
  buildPayload,
  type ConditionalField,
  type SentEvent,
  sentEvents,
} from './fields.ts'

/** The table of the contract once more, drawn by event: a dot where the column is filled. */
const table: Record<ConditionalField, string> = {
  //                              confirmed, out, delivered, failed, return_initiated, return_picked_up
  'rider.name': '                           -   ●    -          -       -                 -',
  'rider.phone_masked': '                   -   ●    -          -       -                 -',
  'delivery.otp': '                         -   ●    -          -       -                 -',
  'delivery.eta_window.start': '            -   ●    -          -       -                 -',
  'delivery.eta_window.end': '              -   ●    -          -       -                 -',
  'delivery.attempt_no': '                  -   ●    ●          ●       -                 -',
  'delivery.delivered_at': '                -   -    ●          -       -                 -',
  'delivery.address_confirmed': '           -   -    ●          ●       -                 -',
  'failure.reason_code': '                  -   -    -          ●       -                 -',
  'failure.rescheduled_for': '              -   -    -          ●       -                 -',
  'failure.attempt_no': '                   -   -    -          ●       -                 -',
  'returns.initiated': '                    -   -    -          -       ●                 ●',
  'returns.reason_code': '                  -   -    -          -       ●                 ●',
  'returns.condition': '                    -   -    -          -       ●                 ●',
  'returns.pickup_eta': '                   -   -    -          -       ●                 ●',
  'returns.picked_up_at': '                 -   -    -          -       -                 ●',
}

const fields = Object.keys(table) as ConditionalField[]
const filled = (field: ConditionalField, event: SentEvent): boolean =>
  table[field].trim().split(/\s+/)[sentEvents.indexOf(event)] === '●'

/** Every leaf of a payload by its path. */
function leaves(value: object, prefix = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([name, item]: [string, unknown]): [string, unknown][] =>
    typeof item === 'object' && item !== null ? leaves(item, `${prefix}${name}.`) : [[prefix + name, item]],
  )
}

const leaf = (payload: OrderPayload, path: string): unknown => new Map(leaves(payload)).get(path)

describe('what an event fills', () => {
  const cells = fields.flatMap((field) =>
    sentEvents.map((event) => ({ field, event, is: filled(field, event) })),
  )

  it.each(cells)('$field on $event: $is', ({ field, event, is }) => {
    const payload = buildPayload(exampleSource(event, 'sealed:k:x'))
    expect(applicableFields(event).has(field)).toBe(is)
    expect(leaf(payload, field) !== null).toBe(is)
  })

  it.each(sentEvents)('on %s, all that no row of the table restricts', (event) => {
    const payload = buildPayload(exampleSource(event, 'sealed:k:x'))
    const unrestricted = leaves(payload).filter(([path]) => !fields.includes(path as ConditionalField))
    expect(unrestricted.map(([path]) => path).sort()).toEqual(
      [
        ...['event', 'schema_version', 'event_id', 'occurred_at', 'partner_id', 'order_id', 'customer_id'],
        ...['sla_due_at', 'order_sequence', 'previous_status', 'order_ref', 'enrichment_status'],
      ].sort(),
    )
    for (const [path, value] of unrestricted) expect(value, path).not.toBeNull()
  })

  it('is never undefined, even when the source has nothing', () => {
    for (const event of sentEvents) {
      const source = Object.fromEntries(Object.keys(exampleSource(event, '')).map((name) => [name, null]))
      const payload = buildPayload({ ...exampleSource(event, ''), ...source, event } as ReturnType<
        typeof exampleSource
      >)
      for (const [path, value] of leaves(payload)) expect(value, path).not.toBeUndefined()
    }
  })

  it('takes the pick-up time from the transition', () => {
    const source = exampleSource('return_picked_up', 'sealed:k:x')
    expect(buildPayload(source).returns.picked_up_at).toBe(source.occurred_at)
  })

  it('says how complete the rider is on out_for_delivery alone', () => {
    for (const event of sentEvents) {
      const { enrichment_status } = buildPayload({
        ...exampleSource(event, 's'),
        enrichment_status: 'TIMED_OUT',
      })
      expect(enrichment_status).toBe(event === 'out_for_delivery' ? 'TIMED_OUT' : 'NOT_APPLICABLE')
    }
  })
})
