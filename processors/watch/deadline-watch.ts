/** Sees deadlines pass: the deliveries whose verdict is open, in memory, and how far the history is read. */
import type { OpenDelivery } from '../../schemas/index.ts'
import { awaitsVerdict, isHeldByOrder, lateVerdict } from './deadlines.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { OrderLines } from './order-lines.ts'
import type { WatchContext } from './shape.ts'

export interface DeadlineWatch {
  /** A delivery that waits, with or without a deadline. */
  expect(id: string, delivery: OpenDelivery): void
  forget(id: string): void
  /** A history record is in hand: all that DELIVER wrote before `atMs` has been read. */
  recordTaken(atMs: number): void
  /** Gives the verdict on deliveries whose deadline has passed; `judged` is told their endpoints. */
  pass(nowMs: number, judged: (endpointId: string) => void): void
}

export interface DeadlineWatchParts {
  readonly context: WatchContext
  readonly book: EndpointBook
  readonly lines: Pick<OrderLines, 'isBehind'>
  readonly quietMs: number
}

/** How many verdicts one tick gives: enough for 2,000 deliveries a second in one task, all of them late. */
const verdictsPerTickMax = 2000

/** The deadlines of one task, which opens now. */
export function makeDeadlineWatch({ context, book, lines, quietMs }: DeadlineWatchParts): DeadlineWatch {
  const { open } = context.stores
  /** Deadlines by delivery: of those accepted in the last minute and a half. */
  const undecided = new Map<string, number>()
  /**
   * A deadline passed when the history is read beyond it, not when the clock is: the acknowledgement may be written
   * already and still to be read.
   */
  let readUntil = Number.NEGATIVE_INFINITY
  let takenAt = context.now()

  /** When nothing comes any more, the clock has to say how far the history is read. */
  const readOn = (nowMs: number): void => {
    if (context.caughtUp('history') && nowMs - takenAt >= quietMs) readUntil = nowMs - quietMs
  }

  const decide = (id: string, deadlineAt: number): string => {
    const delivery = open.get(id)
    const endpoint = delivery && book.find(delivery.endpoint_id)
    if (!endpoint) throw new Error(`delivery ${id} has a deadline but no entry`)
    const { endpoint_id: endpointId, event } = delivery
    const setting = book.setting(endpointId, endpoint.partner_id)
    const { failed_by_partner, waited_for_order_ms } = delivery
    const heldByOrder =
      lines.isBehind(id, delivery) || isHeldByOrder(waited_for_order_ms, deadlineAt, readUntil)
    const verdict = lateVerdict({ failed_by_partner, heldByOrder }, { setting, endpoint })
    open.put(id, { ...delivery, verdict_given: true })
    book.put(endpointId, book.judgeDeadline(endpointId, endpoint, { event, verdict, atMs: deadlineAt }))
    return endpointId
  }

  return {
    expect(id, delivery) {
      if (awaitsVerdict(delivery)) undecided.set(id, delivery.deadline_at)
    },
    forget: (id) => undecided.delete(id),
    recordTaken(atMs) {
      takenAt = context.now()
      readUntil = atMs
    },
    pass(nowMs, judged) {
      readOn(nowMs)
      let given = 0
      for (const [id, deadlineAt] of undecided) {
        if (deadlineAt >= readUntil) continue
        if (++given > verdictsPerTickMax) break
        undecided.delete(id)
        judged(decide(id, deadlineAt))
      }
    },
  }
}
