import { describe, expect, it } from 'vitest'
import { createMemoryLog, manualClock } from '../../engine/index.ts'
import { madeUp } from './known-secrets.ts'
import { scanner, scanTopics } from './scan.ts'

const phone = madeUp('phone', '+919812345678')
const otp = madeUp('otp', '4711')
const name = madeUp('name', 'Zéphyrine Okonkwo')

describe('a secret that somebody planted', () => {
  it('is found in any form, and nothing else is', () => {
    const planted = [
      '{"customer_phone":"+919812345678"}',
      'call 98123 45678 now',
      ...['', 'x', 'xx'].map((before) => Buffer.from(`${before}9812345678yy`).toString('base64')),
      '{"delivery":{"otp":"4711"}}',
      '"{\\"otp\\":\\"4711\\"}"',
      `name=${name.text}`,
      Buffer.from(`{"name":"${name.text}"}`).toString('base64'),
    ]
    for (const text of planted) {
      const { look, findings } = scanner([phone, otp, name])
      look('here', text)
      expect(findings, text).not.toEqual([])
    }
    const { look, findings } = scanner([phone, otp, name])
    look('here', '+91 98xxx xx678, otp 4712, Zoe Okafor, sealed:k1:OTgxMg==')
    expect(findings).toEqual([])
  })

  it('is found in the value, the key, and both sides of a header', async () => {
    const clock = manualClock(0)
    const log = createMemoryLog({ clock })
    const config = {
      cleanup: 'delete',
      retentionMs: -1,
      timestampType: 'create',
      maxRecordBytes: 1e6,
    } as const
    await log.admin.createTopics([{ name: 'planted', partitions: 2, config }])
    const bytes = Buffer.from(`about ${phone.text}.`)
    const plain = Buffer.from('plain')
    const record = { key: plain, value: plain, headers: [], timestamp: 0 }
    const header = (key: string, value: Buffer) => ({ ...record, headers: [{ key, value }] })
    const records = [
      { ...record, key: bytes },
      { ...record, value: bytes },
      header(`about ${phone.text}.`, plain),
      header('plain', bytes),
    ]
    await log.writer({ transactionalId: 'planter' }).append([{ topic: 'planted', partition: 1, records }])
    const { look, findings } = scanner([phone])
    await scanTopics(log, look)
    expect([...new Set(findings.map(({ where }) => where))]).toEqual([
      'key in planted',
      'value in planted',
      'header in planted',
    ])
    expect(findings).toHaveLength(4 * phone.forms.filter((form) => bytes.includes(form)).length)
    await log.close()
  })
})
