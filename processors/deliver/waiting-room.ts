/**
 * Where a queued delivery stands while it may not be called: held until its jitter is over, parked behind an earlier
 * event of its order, or in its endpoint's queue. The one place that knows all three, in memory, rebuilt from states.
 */
import type { DeliveryStatus } from '../../schemas/index.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { EndpointQueues } from './endpoint-queues.ts'
import type { OrderLines } from './order-lines.ts'
import type { DeliverRules } from './rules.ts'
import { makeWakeups } from './wakeups.ts'

export interface WaitingRoom {
  /** A delivery became queued. */
  place(id: string, status: DeliveryStatus, where: 'back' | 'front'): void
  /** Whether a delivery at the head of its queue may not go yet after all; then it is parked. */
  parks(id: string, status: DeliveryStatus): boolean
  /** Lets the next of an order through, after another one left or came back. Returns its id. */
  advance(status: DeliveryStatus): string | undefined
  /** Puts those whose jitter is over into their queues; returns their endpoints. */
  release(now: number): ReadonlySet<string>
  /** Puts what is parked where nothing is ordered any more into its queue; returns the endpoints. */
  releaseUnordered(): readonly string[]
  /** When a jitter is over next. */
  nextRelease(): number | undefined
  /** Takes in a stored state; `loaded` places what came, in order. */
  load(id: string, status: DeliveryStatus): void
  loaded(): void
}

export interface WaitingRoomParts {
  readonly queues: EndpointQueues
  readonly lines: OrderLines
  readonly book: EndpointBook
  readonly rules: Pick<DeliverRules, 'mustWait'>
  readonly statusOf: (id: string) => DeliveryStatus | undefined
  readonly now: () => number
}

/** What is kept of a state between loading it and placing it: a million of them must fit. */
interface Loading {
  readonly id: string
  readonly position: number
  readonly endpoint_id: string
  readonly trigger: DeliveryStatus['trigger']
  readonly due_at: number | null
  /** Whether its order matters: then the state is read again. */
  readonly isOrdered: boolean
}

/** The waiting room of one task. */
export function makeWaitingRoom(parts: WaitingRoomParts): WaitingRoom {
  const { queues, lines, book, rules, statusOf, now } = parts
  const held = makeWakeups<string>()
  let loading: Loading[] = []

  const mustWait = (id: string, status: DeliveryStatus): boolean => {
    if (status.order_id === null || !lines.mustWait(id, status)) return false
    return rules.mustWait({ isStrict: book.isStrict(status.endpoint_id), isBehind: true })
  }

  const parks = (id: string, status: DeliveryStatus): boolean => {
    if (!mustWait(id, status)) return false
    lines.park(id, status.endpoint_id)
    return true
  }

  const place = (id: string, status: DeliveryStatus, where: 'back' | 'front'): void => {
    if (status.due_at !== null && status.due_at > now()) {
      held.add(status.due_at, id)
      return
    }
    if (parks(id, status)) return
    lines.unpark(id, status.endpoint_id)
    queues.enqueue(id, status, where)
  }

  return {
    place,
    parks,
    advance(status) {
      if (status.order_id === null) return undefined
      const id = lines.next(status)
      const next = id === undefined ? undefined : statusOf(id)
      if (id === undefined || next?.phase !== 'queued') return undefined
      queues.enqueue(id, next, 'front')
      return id
    },
    release(atMs) {
      const endpointIds = new Set<string>()
      for (const id of held.take(atMs)) {
        const status = statusOf(id)
        // Hurried or cancelled while it was held: it stands elsewhere, or nowhere.
        if (status?.phase !== 'queued' || status.due_at === null) continue
        place(id, status, 'back')
        endpointIds.add(status.endpoint_id)
      }
      return endpointIds
    },
    releaseUnordered() {
      const endpointIds = lines.endpointIds().filter((endpointId) => !book.isStrict(endpointId))
      for (const endpointId of endpointIds) {
        for (const id of lines.unparkAll(endpointId)) {
          const status = statusOf(id)
          if (status?.phase === 'queued') queues.enqueue(id, status, 'back')
        }
      }
      return endpointIds
    },
    nextRelease: held.next,
    load(id, status) {
      const { phase, position, endpoint_id, trigger, due_at, order_id } = status
      if (phase !== 'queued') return
      loading.push({ id, position, endpoint_id, trigger, due_at, isOrdered: order_id !== null })
    },
    loaded() {
      loading.sort((a, b) => a.position - b.position)
      for (const entry of loading) {
        const status = entry.isOrdered ? statusOf(entry.id) : undefined
        if (status) place(entry.id, status, 'back')
        else if (entry.due_at !== null && entry.due_at > now()) held.add(entry.due_at, entry.id)
        else queues.enqueue(entry.id, entry, 'back')
      }
      loading = []
    },
  }
}
