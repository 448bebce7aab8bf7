/**
 * WATCH: how each endpoint does, told from the history of deliveries alone. It reports and never sets: what follows
 * for an endpoint is DELIVER's to decide.
 *
 * A history record's way: taken before? (offset, version) → the endpoint's facts and windows (endpoint-book.ts) → the
 * delivery opens, or ends and gets the verdict on its deadline (open-deliveries.ts) → the endpoint is marked. Once a second:
 * deadlines that passed get their verdict (deadline-watch.ts), marked endpoints are judged (judge.ts) and reported (reports.ts),
 * and people are told what is bad news, or the end of it (notices.ts).
 *
 * Tests of an endpoint count for nothing; that one had it disabled is told all the same.
 *
 * Taken once: an endpoint's history lies in one partition, so whatever has an offset and a time not beyond the last
 * one taken was taken before; this holds when the topic is read again. (Both must be told: a topic made anew counts
 * its offsets from zero, and a clock may be set back.) A copy appended again is known by its delivery's version while
 * the delivery waits. Of settled deliveries nothing is kept: DELIVER writes their records once.
 */
import { effect, type ProcessorDefinition, store } from '../../engine/index.ts'
import { deadlinesMs } from '../../ports/endpoint-health.ts'
import { type NoticeCallRequest, type NoticeResult, noticeCallSerde } from '../../ports/notices.ts'
import {
  type DeliveryHistory,
  type EndpointWatch,
  isTestOrder,
  type OpenDelivery,
} from '../../schemas/index.ts'
import { makeDeadlineWatch } from './deadline-watch.ts'
import { afterAttempt, afterChange, attemptCounts, makeEndpointBook } from './endpoint-book.ts'
import { healthRules } from './judge.ts'
import { noticeRules } from './notice-decision.ts'
import { makeNotices } from './notices.ts'
import { makeOpenDeliveries } from './open-deliveries.ts'
import { makeOrderLines } from './order-lines.ts'
import { makeReports } from './reports.ts'
import { defaultWatchTimes, type WatchOptions, type WatchShape, watchCounters } from './shape.ts'

export { type HealthRules, healthRules } from './judge.ts'
export { type NoticeRules, noticeRules } from './notice-decision.ts'
export {
  defaultWatchTimes,
  type NoticeOptions,
  type WatchOptions,
  type WatchShape,
  type WatchTimes,
  watchCounters,
} from './shape.ts'

/** The definition of WATCH. */
export function watch(options: WatchOptions): ProcessorDefinition<WatchShape> {
  const { codecs, rules = healthRules } = options
  const times = { ...defaultWatchTimes, ...options.times }
  const disabledAfterMs = options.disabledAfterMs ?? Number.POSITIVE_INFINITY
  return {
    stores: {
      // Read and changed with every record.
      endpoints: store(codecs.of('store.watch.endpoints-value'), { keeps: 'all', writtenAt: 'commit' }),
      windows: store(codecs.of('store.watch.windows-value')),
      open: store(codecs.of('store.watch.open-value')),
      notices: store(codecs.of('store.watch.notices-value')),
    },
    effects: { notify: effect<NoticeCallRequest, NoticeResult>(noticeCallSerde) },
    punctuators: { tick: { everyMs: 1000, on: 'pipeline' } },
    commit: 'lazy',
    create(context) {
      const book = makeEndpointBook(context)
      const notices = makeNotices(context, { ...defaultNoticeOptions, ...options.notices })
      const reports = makeReports({ context, book, notices, rules, times, disabledAfterMs })
      const lines = makeOrderLines(context)
      const deadlines = makeDeadlineWatch({ context, book, lines, quietMs: times.quietMs })
      const deliveries = makeOpenDeliveries({
        context,
        book,
        watch: deadlines,
        lines,
        deadlinesMs: options.deadlinesMs ?? deadlinesMs,
      })

      const take = (before: EndpointWatch, record: DeliveryHistory): EndpointWatch => {
        const { endpoint_id: endpointId, attempt, at } = record
        let endpoint = afterChange(before, record)
        // Made up to try the endpoint: no order waited for it, and its partner may well want it to fail.
        if (isTestOrder(record.order_id) && !context.stores.open.get(record.delivery_id)) return endpoint
        if (attempt) {
          endpoint = afterAttempt(endpoint, attempt, at)
          endpoint = book.count(endpointId, endpoint, at, attemptCounts(attempt))
        }
        const isAboutDelivery = record.delivery_id !== ''
        return isAboutDelivery ? deliveries.take(record, before, endpoint) : endpoint
      }

      return {
        load: {
          endpoints: reports.load,
          open(id, delivery) {
            deadlines.expect(id, delivery)
            lines.join(id, delivery)
          },
          notices: notices.load,
        },
        inputs: {
          history({ key, value: record, offset }) {
            if (key !== record.endpoint_id) {
              context.reject('key_mismatch', `the key is ${key}, the value is about ${record.endpoint_id}`)
            }
            deadlines.recordTaken(record.at)
            const before = book.open(key, record.partner_id)
            const repeat = repeatOf(record, offset, before, context.stores.open.get(record.delivery_id))
            if (repeat) {
              context.count(watchCounters.repeats, { by: repeat })
              return
            }
            book.put(key, { ...take(before, record), seen_offset: offset, seen_at: record.at })
            reports.changed(key)
          },
        },
        punctuate: {
          tick(now) {
            deadlines.pass(now, reports.changed)
            // Half a history gives half a picture.
            if (context.caughtUp('history')) reports.write(now)
            notices.send(now)
          },
        },
        results: { notify: notices.ended },
      }
    },
  }
}

const defaultNoticeOptions = { rules: noticeRules, partners: true, operator: [] } as const

/** By what a record is known to have been taken before, if it was. */
function repeatOf(
  record: DeliveryHistory,
  offset: number,
  endpoint: EndpointWatch,
  known: OpenDelivery | undefined,
): 'offset' | 'version' | undefined {
  if (offset <= endpoint.seen_offset && record.at <= endpoint.seen_at) return 'offset'
  return known && record.version <= known.version ? 'version' : undefined
}
