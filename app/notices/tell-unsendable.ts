/** Tells of notice channels that could not be used as things are: better at the start than when something fails. */
import { isSameWay } from '../../connectors/notices/webhook-notices.ts'
import type { NoticeWays } from '../config/notice-settings.ts'
import type { NoticeSettings, PartnerSettings } from '../config/partner-settings.ts'

/** A line for each; none: all can be used. */
export function unsendableNotices(partners: readonly PartnerSettings[], ways: NoticeWays): string[] {
  if (!ways.partners) return []
  return partners.flatMap((partner) =>
    (partner.notices ?? []).flatMap((notice, index) => {
      const problem = problemOf(notice, partner, ways)
      return problem === undefined
        ? []
        : [`notice ${index + 1} of ${partner.id} would not be sent: ${problem}`]
    }),
  )
}

function problemOf(
  { kind, target }: NoticeSettings,
  { endpoints }: PartnerSettings,
  { smtp }: NoticeWays,
): string | undefined {
  switch (kind) {
    case 'email':
      return smtp ? undefined : 'there is no mail server — set notices.smtp_url_file or WAYBILL_SMTP_URL'
    case 'sms':
      return 'nothing that sends text messages is built in — use a mail or a webhook'
    case 'webhook': {
      const same = endpoints.find(({ url }) => isSameWay(target, url))
      return same && `when ${same.id} fails, it would leave by that very host — name another one`
    }
  }
}
