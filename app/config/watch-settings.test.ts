import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CliError } from '../cli/cli-error.ts'
import { readConfig } from './config.ts'
import { describeConfig } from './describe-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-watch-settings-'))
afterAll(() => rmSync(folder, { recursive: true }))

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`

function read(yaml: string, env: Record<string, string> = {}) {
  writeFileSync(join(folder, 'waybill.yaml'), yaml)
  return readConfig({ config: 'waybill.yaml', demo: false }, { env, cwd: folder })
}

function problemsOf(yaml: string, env: Record<string, string> = {}): readonly string[] {
  try {
    read(yaml, env)
  } catch (error) {
    if (error instanceof CliError) return error.problems.map(({ what }) => what)
    throw error
  }
  return []
}

describe('the limits of health', () => {
  it('are those that were set, and the others as they are', () => {
    const { health } = read('health: { ack_rate_at_risk: 0.99, no_success_failing: 30m, leave_failing: 90 }')
    expect(health.limits.ackRate).toEqual({ atRisk: 0.99, failing: 0.5 })
    expect(health.limits.noSuccessMs).toEqual({ atRisk: 600_000, failing: 1_800_000 })
    expect(health.leave).toEqual({ atRisk: 20, failing: 90 })
  })

  it('leave room between at risk and failing', () => {
    expect(
      problemsOf(
        'health: { ack_rate_failing: 0.97, failures_failing: 3, no_success_at_risk: 3h, slow_share: 7 }',
      ),
    ).toEqual([
      '"health.slow_share" "7" is no share',
      '"health.ack_rate_failing" "0.97" leaves nothing between at risk and failing',
      '"health.failures_failing" "3" leaves nothing between at risk and failing',
      '"health.no_success_failing" "2h" leaves nothing between at risk and failing',
    ])
  })
})

describe('who is told', () => {
  it('is the operator by a signed webhook and by mail, and no secret is shown', () => {
    const yaml =
      'notices: { webhook: "https://ops.example.com/waybill", email: [ops@example.com], from: "W <w@example.com>" }'
    const env = {
      WAYBILL_NOTICE_SECRET: secret,
      WAYBILL_SMTP_URL: 'smtp://user:hunter2@mail.example.com:587',
    }
    const config = read(yaml, env)
    expect(config.notices).toMatchObject({
      webhook: { url: 'https://ops.example.com/waybill', secret },
      email: ['ops@example.com'],
      smtp: { from: 'W <w@example.com>' },
    })
    const shown = describeConfig(config).find(({ name }) => name === 'notices to')?.value
    expect(shown).toBe(
      'partners by their channels, https://ops.example.com/waybill, ops@example.com, mails by smtp://user:***@mail.example.com:587',
    )
  })

  it('is told about all that is missing or wrong', () => {
    expect(
      problemsOf(
        'notices: { webhook: "http://10.0.0.1/", email: [ops@example.com], again_after: 1y, from: nobody }',
      ),
    ).toEqual([
      '"notices.from" "nobody" has no effect without a mail server',
      '"notices.again_after" "1y" will not do',
      '"notices.webhook" "http://10.0.0.1/" will not be called: http is not allowed, only https',
      '"notices.email" "ops@example.com" needs a mail server',
    ])
    expect(problemsOf('notices: { webhook: "https://ops.example.com/" }')).toEqual([
      '"notices.webhook" "https://ops.example.com/" has no secret to sign with',
    ])
    expect(problemsOf('', { WAYBILL_SMTP_URL: 'mail.example.com:hunter2' })).toEqual([
      'WAYBILL_SMTP_URL is not the address of a mail server',
    ])
  })
})
