/**
 * Who waits for which endpoint, and how many calls are open: an index in memory over the store of states, from
 * which it is rebuilt. It holds one reference for each waiting delivery. An entry is a hint: the store decides
 * whether its delivery still waits there, and leftovers (cancelled, hurried) are dropped when they reach the head.
 */
import type { DeliveryStatus, Trigger } from '../../schemas/index.ts'
import { type Fifo, makeFifo } from './fifo.ts'

/** Asked for by hand, first requests, and everything that had its chance before. */
export const lanes = ['urgent', 'fresh', 'retry'] as const
export type Lane = (typeof lanes)[number]

/** A redrive goes with the retries: many may be asked for at once, and fresh events must not wait for them. */
export function laneOf(trigger: Trigger): Lane {
  switch (trigger) {
    case 'MANUAL':
    case 'TEST':
      return 'urgent'
    case 'FIRST':
      return 'fresh'
    case 'RETRY':
    case 'REDRIVE':
    case 'UNKNOWN':
      return 'retry'
  }
}

/** One retry goes after so many fresh ones, so that a flood of events does not starve it. */
const freshPerRetry = 7

export interface EndpointQueue {
  /** Deliveries queued, leftovers included. */
  readonly length: number
  /** Calls that have a credit now. */
  readonly open: number
  /** Deliveries that wait at all: queued, held back, in flight or in a tier. */
  readonly held: number
  /** The lane whose turn it is; `undefined` when nothing is queued. */
  nextLane(): Lane | undefined
  peek(lane: Lane): string | undefined
  /** Takes the head away; `served` counts it towards the lanes' shares. */
  shift(lane: Lane, served: boolean): void
}

export interface EndpointQueues {
  of(endpointId: string): EndpointQueue
  /** Endpoints with something queued. */
  waiting(): string[]
  enqueue(id: string, status: Pick<DeliveryStatus, 'endpoint_id' | 'trigger'>, where: 'back' | 'front'): void
  takeCredit(endpointId: string): void
  returnCredit(endpointId: string): void
  /** A delivery came into a tier (1 for the first), or left it. */
  moveTier(endpointId: string, tier: number, by: 1 | -1): void
  /** What waits at each endpoint: in all, with a call open, and by tier. */
  waitingBy(): readonly WaitingCounts[]
  /** A delivery waits, or does no longer. */
  hold(endpointId: string): void
  release(endpointId: string): void
}

/** How many deliveries of an endpoint wait. */
export interface WaitingCounts {
  readonly endpointId: string
  readonly held: number
  readonly open: number
  readonly inTiers: readonly number[]
}

interface Entry extends EndpointQueue {
  readonly lanes: Readonly<Record<Lane, Fifo<string>>>
  open: number
  held: number
  readonly inTiers: number[]
}

/** An empty index. */
export function makeEndpointQueues(): EndpointQueues {
  const entries = new Map<string, Entry>()

  const entryOf = (endpointId: string): Entry => {
    const known = entries.get(endpointId)
    if (known) return known
    const entry = makeEntry()
    entries.set(endpointId, entry)
    return entry
  }

  return {
    of: entryOf,
    waiting: () => [...entries].filter(([, entry]) => entry.length > 0).map(([endpointId]) => endpointId),
    enqueue(id, status, where) {
      const lane = entryOf(status.endpoint_id).lanes[laneOf(status.trigger)]
      if (where === 'front') lane.unshift(id)
      else lane.push(id)
    },
    takeCredit(endpointId) {
      entryOf(endpointId).open++
    },
    returnCredit(endpointId) {
      const entry = entryOf(endpointId)
      if (entry.open === 0) throw new Error(`${endpointId} has no open call whose credit could come back`)
      entry.open--
    },
    moveTier(endpointId, tier, by) {
      const { inTiers } = entryOf(endpointId)
      inTiers[tier - 1] = (inTiers[tier - 1] ?? 0) + by
    },
    waitingBy: () =>
      [...entries].map(([endpointId, { held, open, inTiers }]) => ({
        endpointId,
        held,
        open,
        inTiers: [...inTiers],
      })),
    hold(endpointId) {
      entryOf(endpointId).held++
    },
    release(endpointId) {
      entryOf(endpointId).held--
    },
  }
}

function makeEntry(): Entry {
  const fifos = { urgent: makeFifo<string>(), fresh: makeFifo<string>(), retry: makeFifo<string>() }
  let freshInARow = 0
  return {
    lanes: fifos,
    open: 0,
    held: 0,
    inTiers: [0, 0, 0],
    get length() {
      return fifos.urgent.length + fifos.fresh.length + fifos.retry.length
    },
    nextLane() {
      if (fifos.urgent.length > 0) return 'urgent'
      if (fifos.fresh.length === 0) return fifos.retry.length > 0 ? 'retry' : undefined
      return fifos.retry.length > 0 && freshInARow >= freshPerRetry ? 'retry' : 'fresh'
    },
    peek: (lane) => fifos[lane].peek(),
    shift(lane, served) {
      fifos[lane].shift()
      if (!served) return
      if (lane === 'fresh' && fifos.retry.length > 0) freshInARow++
      if (lane === 'retry') freshInARow = 0
    },
  }
}
