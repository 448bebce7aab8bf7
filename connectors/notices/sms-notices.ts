/** Notices as text messages, through whatever gateway is put behind `SmsGateway`. */
import type { NoticeSender, SmsGateway } from '../../ports/notices.ts'
import { noticeSms } from './notice-words.ts'

/** Makes the sender of text messages. */
export const createSmsNotices = (gateway: SmsGateway): NoticeSender<'sms'> => ({
  send: (notice, { to }, options) =>
    gateway.send({ to, text: noticeSms(notice), reference: notice.notice_id }, options),
})
