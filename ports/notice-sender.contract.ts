/** What every sender of notices does, by whatever channel: run by each adapter's test. */
import { afterEach, describe, expect, it } from 'vitest'
import type {
  EndpointNotice,
  NoticeChannel,
  NoticeChannelKind,
  NoticeKind,
  NoticeResult,
  NoticeSender,
} from './notices.ts'

/** What came to the other end of the channel. */
export interface ArrivedNotice {
  readonly text: string
  /** By which the other end, or a person, knows a repeat. */
  readonly reference: string
}

/** What the other end does from now on. `hang`: takes the connection and never answers. */
export type OtherEnd = 'take' | 'refuse' | 'hang' | 'away'

/** A sender and the other end of its channel. */
export interface OpenedNoticeWay<Kind extends NoticeChannelKind> {
  readonly sender: NoticeSender<Kind>
  readonly channel: Extract<NoticeChannel, { kind: Kind }>
  readonly arrived: () => readonly ArrivedNotice[]
  /** Texts that must never be in what is said of a failure: passwords, signing secrets. */
  readonly secrets: readonly string[]
  become(otherEnd: OtherEnd): Promise<void> | void
  /** Resolves when the other end has something in hand that it does not answer. */
  hanging(): Promise<void>
  close(): Promise<void>
}

export interface NoticeContractOptions<Kind extends NoticeChannelKind> {
  readonly name: string
  readonly open: () => Promise<OpenedNoticeWay<Kind>>
}

const kinds: readonly NoticeKind[] = ['at_risk', 'failing', 'disabling', 'disabled', 'recovered']

const madeAt = Date.UTC(2026, 10, 25, 12)

const noticeOf = (kind: NoticeKind, changes: Partial<EndpointNotice> = {}): EndpointNotice => ({
  notice_id: '6a1c6f0e-7d2b-5b0c-8a51-2f54c1b0a001',
  kind,
  made_at: madeAt,
  partner_id: 'acme',
  endpoint_id: 'acme-orders',
  state: kind === 'recovered' ? 'healthy' : kind === 'disabled' ? 'disabled' : 'failing',
  reason: 'failures_in_a_row',
  since: madeAt,
  score: 100,
  percent: kind === 'disabling' ? 50 : null,
  disables_at: madeAt + 5 * 86_400_000,
  ack_rate: { hour: 0.25, day: 0.9, week: 0.991 },
  latency_p95_ms: 180,
  consecutive_failures: 12,
  open: 3,
  last_success_at: null,
  last_failure_at: madeAt - 1000,
  last_failure_class: 'http_5xx',
  ...changes,
})

/** Declares the suite for one adapter. */
export function noticeSenderContract<Kind extends NoticeChannelKind>({
  name,
  open,
}: NoticeContractOptions<Kind>): void {
  const opened: OpenedNoticeWay<Kind>[] = []
  afterEach(async () => {
    for (const way of opened.splice(0)) await way.close()
  })
  const openOne = async () => {
    const way = await open()
    opened.push(way)
    return way
  }
  const send = (
    { sender, channel }: OpenedNoticeWay<Kind>,
    notice = noticeOf('failing'),
    signal = new AbortController().signal,
  ): Promise<NoticeResult> => sender.send(notice, channel, { signal })

  describe(`${name} as a sender of notices`, () => {
    it.each(kinds)('brings an endpoint that is %s, by name, to the other end', async (kind) => {
      const way = await openOne()
      expect(await send(way, noticeOf(kind))).toEqual({ kind: 'sent' })
      expect(way.arrived()).toHaveLength(1)
      expect(way.arrived()[0]?.text).toContain('acme-orders')
    })

    it('says why in words, also where only a newer release knows the reason', async () => {
      const way = await openOne()
      await send(way, noticeOf('at_risk', { reason: 'slow', latency_p95_ms: 7900 }))
      await send(way, noticeOf('at_risk', { reason: 'a_word_of_later' }))
      const [slow, later] = way.arrived()
      expect(slow?.text).toContain('7.9 s')
      expect(later?.text).toContain('a_word_of_later')
    })

    it('gives a repeat the same reference, and another notice another', async () => {
      const way = await openOne()
      await send(way)
      await send(way)
      await send(way, noticeOf('recovered', { notice_id: '6a1c6f0e-7d2b-5b0c-8a51-2f54c1b0a002' }))
      const [first, repeat, other] = way.arrived().map(({ reference }) => reference)
      expect(first).toContain('6a1c6f0e-7d2b-5b0c-8a51-2f54c1b0a001')
      expect(repeat).toBe(first)
      expect(other).not.toBe(first)
    })

    it('tells that nobody was there as something to try again, and that it is refused as final', async () => {
      const way = await openOne()
      await way.become('refuse')
      expect(await send(way)).toMatchObject({ kind: 'not_sent', reason: 'refused' })
      await way.become('away')
      expect(await send(way)).toMatchObject({ kind: 'failed' })
      await way.become('take')
      expect(await send(way)).toEqual({ kind: 'sent' })
    })

    it('says shortly what failed, and no secret', async () => {
      const way = await openOne()
      expect(way.secrets.length).toBeGreaterThan(0)
      for (const otherEnd of ['refuse', 'away'] as const) {
        await way.become(otherEnd)
        const result = await send(way)
        if (result.kind === 'sent') throw new Error('it was taken')
        expect(result.detail.length).toBeGreaterThan(0)
        expect(result.detail.length).toBeLessThan(100)
        for (const secret of way.secrets) expect(result.detail).not.toContain(secret)
      }
    })

    it('ends at once with the reason when it is called off, before and while it is on its way', async () => {
      const way = await openOne()
      await way.become('hang')
      const called = new AbortController()
      const sending = send(way, noticeOf('failing'), called.signal)
      await way.hanging()
      const reason = new Error('stopping')
      called.abort(reason)
      await expect(sending).rejects.toBe(reason)
      await expect(send(way, noticeOf('failing'), called.signal)).rejects.toBe(reason)
    })
  })
}
