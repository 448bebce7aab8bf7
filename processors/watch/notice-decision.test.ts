import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideNotice, type NoticeQuestion, noticeRules } from './notice-decision.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const now = Date.UTC(2026, 10, 25)

type Health = NoticeQuestion['health']

const health = (state: Health['state'], changes: Partial<Health> = {}): Health => ({
  state,
  reason: 'ack_rate',
  since: now - hourMs,
  failing_since: null,
  disables_at: null,
  ...changes,
})

/** Decides one after the other, each with what the one before left people knowing. */
function story(steps: readonly { readonly atMs: number; readonly health: Health }[]): string[] {
  let told: NoticeQuestion['told'] = { notice_level: 'none', notices_sent: {} }
  return steps.flatMap(({ atMs, health: of }) => {
    const { level, notice } = decideNotice({ health: of, told, nowMs: atMs, rules: noticeRules })
    const sent = notice ? { ...told.notices_sent, [level]: atMs } : told.notices_sent
    told = { notice_level: level, notices_sent: sent }
    return notice ? [notice.percent === null ? notice.kind : `${notice.kind} ${notice.percent}`] : []
  })
}

const at = (minutes: number, of: Health) => ({ atMs: now + minutes * minuteMs, health: of })

describe('people are told', () => {
  it('once of each step down, and once that it is well again', () => {
    const well = health('healthy', { since: now + 10 * minuteMs })
    expect(
      story([
        at(0, health('at_risk')),
        at(1, health('at_risk')),
        at(2, health('failing')),
        at(3, health('failing')),
        at(9, health('at_risk')),
        at(10, well),
        at(14, well),
        at(15, well),
        at(60, well),
      ]),
    ).toEqual(['at_risk', 'failing', 'recovered'])
  })

  it('not again within the hour of an endpoint that goes to and fro, and then if it still is so', () => {
    const steps = Array.from({ length: 7 }, (_, index) => [
      at(10 * index, health('at_risk')),
      at(10 * index + 5, health('healthy', { since: now + (10 * index - 1) * minuteMs })),
    ]).flat()
    expect(story(steps)).toEqual(['at_risk', 'recovered', 'at_risk', 'recovered'])
  })

  it('at 50, 70 and 90 % of the way to being disabled, and then that it is', () => {
    const failing = (percent: number) => ({
      atMs: now + percent * hourMs,
      health: health('failing', { failing_since: now, disables_at: now + 100 * hourMs }),
    })
    const disabled = health('disabled', { reason: 'auto_disabled' })
    expect(
      story([
        ...[1, 49, 50, 60, 70, 89, 90, 99].map(failing),
        { atMs: now + 100 * hourMs, health: disabled },
      ]),
    ).toEqual(['failing', 'disabling 50', 'disabling 70', 'disabling 90', 'disabled'])
  })

  it('nothing when the partner switches it off, or when nothing is known', () => {
    const off = health('disabled', { reason: 'disabled_by_partner' })
    expect(story([at(0, off), at(1, health('unknown'))])).toEqual([])
    // And what they were told before is over then.
    expect(story([at(0, health('failing')), at(1, off), at(100, health('failing'))])).toEqual([
      'failing',
      'failing',
    ])
    expect(story([at(0, health('failing')), at(1, health('unknown')), at(2, health('failing'))])).toEqual([
      'failing',
    ])
  })

  it('although the clock was set back', () => {
    expect(story([at(0, health('at_risk')), at(6, health('healthy')), at(-600, health('at_risk'))])).toEqual([
      'at_risk',
      'recovered',
      'at_risk',
    ])
  })

  it('of an end only after a beginning, whatever happens', () => {
    const states = ['unknown', 'healthy', 'at_risk', 'failing', 'disabled'] as const
    const anyStep = fc.record({
      state: fc.constantFrom(...states),
      afterMinutes: fc.nat(90),
      steady: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (walk) => {
        let minutes = 0
        const told = story(
          walk.map(({ state, afterMinutes, steady }) => {
            minutes += afterMinutes
            const since = now + (minutes - (steady ? 5 : 0)) * minuteMs
            return at(minutes, health(state, { since, reason: 'auto_disabled' }))
          }),
        )
        for (const [index, kind] of told.entries()) {
          if (kind === 'recovered') expect(told[index - 1] ?? 'recovered').not.toBe('recovered')
        }
      }),
      { verbose: true },
    )
  })
})
