/**
 * Nothing is welded to one table: a second order system, mapped by a source.yaml alone, gives the events that its
 * story means. What they have to be was written down from the story in `consignments.ts`.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readSourceFile } from '../../app/config/source.ts'
import { testSealer } from '../../processors/normalize/testing/captured-message.ts'
import { iso, linesOf, payloadsOf, runCaptured, storyOf } from '../golden-events/captured-run.ts'
import { consignmentId, consignmentStory, type Flavour } from './consignments.ts'

const flavours: readonly Flavour[] = ['mysql', 'postgresql']
const fixtures = '../fixtures/second-schema'
const mapping = readSourceFile(fileURLToPath(new URL(`${fixtures}/source.yaml`, import.meta.url)))
const runOf = (flavour: Flavour) => runCaptured(consignmentStory(flavour), mapping)

describe.each(flavours)('a second order system in %s', (flavour) => {
  const run = runOf(flavour)
  const story = (number: number) => storyOf(run, consignmentId(number))

  it('leaves the captured lines and the events on file', async () => {
    const lines = consignmentStory(flavour).map((line) => `${JSON.stringify(line)}\n`)
    await expect(lines.join('')).toMatchFileSnapshot(`${fixtures}/${flavour}.jsonl`)
    await expect(linesOf(run)).toMatchFileSnapshot(`golden/${flavour}.jsonl`)
    expect([...run.asides]).toEqual([['ignored tombstone', 1]])
  })

  it('1: a whole life in other words, with the driver of each try', () => {
    expect(story(1)).toEqual([
      'order_confirmed',
      'out_for_delivery 1 Mia Schäfer COMPLETE',
      'delivery_failed 1 NOBODY_HOME',
      'out_for_delivery 2 Ole Brandt COMPLETE',
      'delivered',
      'return_initiated',
      'return_picked_up',
    ])
    const payloads = payloadsOf(run, consignmentId(1))
    expect(payloads.map(({ order_sequence }) => order_sequence)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(payloads[1]).toMatchObject({ partner_id: 'nordwind', order_ref: 'NW-1', customer_id: 'R-88' })
    expect(payloads[1]?.rider.phone_masked).toBe('+49 16x xxxx567')
    expect(testSealer.open(payloads[1]?.delivery.otp ?? '')).toBe('0042')
    expect(payloads.map(({ previous_status }) => previous_status)).toEqual([
      ...['booked', 'accepted', 'on vehicle', 'attempt failed', 'on vehicle', 'handed over', 'sent back'],
    ])
  })

  it('1: wall clocks of Berlin become instants, over the night in which an hour comes twice', () => {
    const payloads = payloadsOf(run, consignmentId(1))
    expect(payloads.map(({ occurred_at }) => iso(occurred_at))).toEqual([
      '2026-10-24T20:02:00.000Z',
      '2026-10-24T20:04:00.000Z',
      '2026-10-24T21:00:00.000Z',
      '2026-10-24T23:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T09:00:00.000Z',
      '2026-10-25T10:00:00.000Z',
    ])
    expect(iso(payloads[0]?.sla_due_at ?? 0)).toBe('2026-10-26T17:00:00.000Z')
    expect(iso(payloads[2]?.failure.rescheduled_for ?? 0)).toBe('2026-10-24T23:00:00.000Z')
    expect(iso(payloads[1]?.delivery.eta_window.start ?? 0)).toBe('2026-10-25T08:00:00.000Z')
    expect(iso(payloads[4]?.delivery.delivered_at ?? 0)).toBe('2026-10-25T00:30:00.000Z')
  })

  it('2: goes on from its snapshot', () => {
    expect(story(2)).toEqual(['delivered'])
    expect(payloadsOf(run, consignmentId(2))[0]?.previous_status).toBe('accepted')
  })

  it('3 and 4: without a version, two occurrences still have two ids', () => {
    for (const number of [3, 4]) {
      expect(story(number)).toEqual(['order_confirmed', 'order_confirmed'])
      const ids = payloadsOf(run, consignmentId(number)).map(({ event_id }) => event_id)
      expect(new Set(ids).size).toBe(2)
    }
  })

  it('5: waits for a driver in vain, and is sent all the same', () => {
    expect(story(5)).toEqual(['out_for_delivery 1 - TIMED_OUT'])
  })

  it('gives the same ids when it is captured once more', () => {
    const again = runCaptured([...consignmentStory(flavour), ...consignmentStory(flavour)], mapping)
    expect(linesOf(again)).toBe(linesOf(run))
  })
})

it('both databases tell one story: only what names the source differs', () => {
  const told = (flavour: Flavour) =>
    runOf(flavour).events.map(({ event: { payload } }) => ({
      ...payload,
      event_id: '',
      delivery: { ...payload.delivery, otp: '' },
    }))
  expect(told('mysql')).toEqual(told('postgresql'))
})
