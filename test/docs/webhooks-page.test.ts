/** Holds the partners' page to the code: every class, signal, check, notice and header that it names, and its example. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { requestChecks } from '../../app/preflight/request-checks.ts'
import type { NoticeKind } from '../../ports/notices.ts'
import { type OutcomeTraits, outcomeClasses } from '../../ports/sender.ts'
import { signalNames } from '../../processors/watch/signals.ts'
import { buildPayload, payloadVersions } from '../../schemas/index.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/webhooks.md')

/** The cells of a table's column, in a section, where they are code. */
function column(heading: string, index: number): string[] {
  const section = page.split(`${heading}\n`)[1]?.split(/\n##+ /)[0] ?? ''
  return [...section.matchAll(/^\|(.+)\|$/gm)].flatMap(([, row = '']) => {
    const cell = row.split('|')[index]?.trim() ?? ''
    return /^`[^`]+`$/.test(cell) ? [cell.slice(1, -1)] : []
  })
}

describe('docs/webhooks.md', () => {
  it('says what follows for every way in which a call can end that is not our own doing', () => {
    const traits: readonly (readonly [string, OutcomeTraits])[] = Object.entries(outcomeClasses)
    const theirs = traits.filter(([name, { fault }]) => fault !== 'ours' && name !== 'other_error')
    expect(column('### Answering', 1).sort()).toEqual(theirs.map(([name]) => name).sort())
    for (const [name, { retries, acknowledged }] of theirs) {
      const row = page.split('\n').find((line) => line.includes(`| \`${name}\` |`)) ?? ''
      if (acknowledged) expect(row).toContain('delivered')
      else expect(row.includes('| retries')).toBe(retries)
    }
  })

  it('names every signal', () => {
    expect(column('## How you do', 0).sort()).toEqual([...signalNames].sort())
  })

  it('shows every question of the check', () => {
    for (const { check } of requestChecks) expect(page).toContain(`  ${check.replaceAll('_', ' ')} `)
  })

  it('names every kind of notice', () => {
    const kinds: Record<NoticeKind, true> = {
      at_risk: true,
      failing: true,
      disabling: true,
      disabled: true,
      recovered: true,
    }
    for (const kind of Object.keys(kinds)) expect(page).toContain(`\`endpoint.${kind}\``)
  })

  it('quotes the receiver that the tests run', () => {
    const quoted =
      /<!-- examples\/receivers\/node\/receiver\.mjs -->\n```js\n([\s\S]+?)```/.exec(page)?.[1] ?? ''
    expect(quoted.length).toBeGreaterThan(500)
    expect(read('examples/receivers/node/receiver.mjs')).toContain(quoted)
  })

  it('shows a body with all the fields there are', () => {
    const shown: unknown = JSON.parse(/```json\n([\s\S]+?)```/.exec(page)?.[1] ?? '')
    const empty = buildPayload({
      event: 'out_for_delivery',
      event_id: 'e',
      occurred_at: 0,
      partner_id: 'p',
      order_id: 'o',
      customer_id: null,
      sla_due_at: null,
      rider_name: null,
      rider_phone_masked: null,
      otp: null,
      eta_start: null,
      eta_end: null,
      delivered_at: null,
      address_confirmed: null,
      attempt_no: null,
      failure_reason_code: null,
      rescheduled_for: null,
      return_reason_code: null,
      return_condition: null,
      return_pickup_eta: null,
      order_sequence: null,
      previous_status: null,
      order_ref: null,
      enrichment_status: 'COMPLETE',
    })
    expect(pathsOf(shown)).toEqual(pathsOf(empty))
    for (const version of payloadVersions) expect(page).toContain(version)
  })
})

/** Every field, by its path. */
function pathsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, `${path}.${name}`))
}
