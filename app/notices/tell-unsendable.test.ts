import { describe, expect, it } from 'vitest'
import { makeVetting, strictEgress } from '../../connectors/webhook/address-vetting.ts'
import { noticeRules } from '../../processors/watch/watch.ts'
import { parsePartners } from '../config/partners.ts'
import { parseYaml } from '../config/yaml-file.ts'
import { unsendableNotices } from './tell-unsendable.ts'

describe('a channel that could not be used', () => {
  const ways = { partners: true, rules: noticeRules, webhook: undefined, email: [], smtp: undefined }
  const partners = parsePartners(
    parseYaml(
      'p.yaml',
      `partners:
  - id: acme
    endpoints: [{ id: acme-orders, url: "https://hooks.acme.example/a" }]
    notices:
      - { kind: webhook, to: "https://hooks.acme.example/notices" }
      - { kind: webhook, to: "https://status.acme.example/notices" }
      - { kind: email, to: ops@acme.example }
      - { kind: sms, to: "+919812345678" }
`,
    ),
    { env: {}, vetting: makeVetting(strictEgress), readFile: () => undefined },
  )

  it('is told, with what mends it', () => {
    expect(unsendableNotices(partners, ways)).toEqual([
      'notice 1 of acme would not be sent: when acme-orders fails, it would leave by that very host — name another one',
      'notice 3 of acme would not be sent: there is no mail server — set notices.smtp_url_file or WAYBILL_SMTP_URL',
      'notice 4 of acme would not be sent: nothing that sends text messages is built in — use a mail or a webhook',
    ])
  })

  it('is not told where partners are not told anything', () => {
    expect(unsendableNotices(partners, { ...ways, partners: false })).toEqual([])
  })
})
