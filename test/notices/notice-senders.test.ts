/** Every way by which notices leave, over real connections, held to the one contract. */

import { createEmailNotices } from '../../connectors/notices/email-notices.ts'
import { createSmsNotices } from '../../connectors/notices/sms-notices.ts'
import { createWebhookNotices } from '../../connectors/notices/webhook-notices.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import { sign, signer } from '../../connectors/webhook/standard-webhooks.ts'
import { systemClock } from '../../engine/index.ts'
import { noticeSenderContract, type OtherEnd } from '../../ports/notice-sender.contract.ts'
import type { SmsGateway } from '../../ports/notices.ts'
import { type HostileReceiver, startHostileReceiver } from '../webhook/hostile-receiver.ts'
import { startMailServer } from './mail-server.ts'

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`

noticeSenderContract({
  name: 'an operational webhook',
  async open() {
    let otherEnd: OtherEnd = 'take'
    const taken: HostileReceiver['requests'][number][] = []
    const behave = (request: HostileReceiver['requests'][number]) => {
      if (otherEnd === 'hang') return { kind: 'hang', at: 'headers' } as const
      if (otherEnd === 'take') taken.push(request)
      return { kind: 'answer', status: otherEnd === 'refuse' ? 410 : 204 } as const
    }
    let receiver: HostileReceiver | undefined = await startHostileReceiver({ behave })
    const { url, port } = receiver
    const http = createHttpSender({ clock: systemClock, egress: loopbackEgress })
    return {
      sender: createWebhookNotices({
        sender: http,
        sign: ({ id, atMs, body }, secrets) => ({ ...sign(id, atMs, body, secrets.map(signer)) }),
        clock: systemClock,
        version: 'test',
      }),
      channel: { kind: 'webhook', url, secrets: [secret] },
      secrets: [secret],
      arrived: () =>
        taken.map(({ body, headers }) => ({
          text: body.toString(),
          reference: String(headers['webhook-id']),
        })),
      async become(next) {
        otherEnd = next
        if (next === 'away') {
          await receiver?.close()
          receiver = undefined
        } else receiver ??= await startHostileReceiver({ behave, port })
      },
      hanging: async () => receiver?.got(1),
      async close() {
        await http.close()
        await receiver?.close()
      },
    }
  },
})

noticeSenderContract({
  name: 'a mail',
  async open() {
    const server = await startMailServer()
    const url = new URL(server.url)
    const mails = createEmailNotices({
      // A user would make it ask for TLS, which the server of the tests has not.
      url: server.url,
      from: 'Waybill <waybill@example.com>',
    })
    return {
      sender: mails,
      channel: { kind: 'email', to: ['ops@acme.example'] },
      // Where our mail server is, is nobody's business.
      secrets: [url.host],
      arrived: () =>
        server.mails.map((mail) => ({
          text: mail,
          reference: /^Message-ID: (.*)$/im.exec(mail)?.[1] ?? '',
        })),
      become: (otherEnd) => server.become(otherEnd),
      hanging: () => server.hanging(),
      async close() {
        mails.close()
        await server.close()
      },
    }
  },
})

noticeSenderContract({
  name: 'a text message through a gateway',
  async open() {
    const sent: { to: string; text: string; reference: string }[] = []
    let otherEnd: OtherEnd = 'take'
    let told = () => {}
    const hanging = new Promise<void>((resolve) => {
      told = resolve
    })
    /** What an adapter of a provider does. */
    const gateway: SmsGateway = {
      async send(message, { signal }) {
        signal.throwIfAborted()
        switch (otherEnd) {
          case 'take':
            sent.push(message)
            return { kind: 'sent' }
          case 'refuse':
            return { kind: 'not_sent', reason: 'refused', detail: 'no such number' }
          case 'away':
            return { kind: 'failed', detail: 'the provider does not answer' }
          case 'hang':
            told()
            return new Promise((_, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
            )
        }
      },
    }
    return {
      sender: createSmsNotices(gateway),
      channel: { kind: 'sms', to: '+919812345678' },
      secrets: ['+919812345678'],
      arrived: () => sent,
      become(next) {
        otherEnd = next
      },
      hanging: () => hanging,
      close: async () => {},
    }
  },
})
