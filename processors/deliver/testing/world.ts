/** All that a commit of DELIVER makes durable: its stores, what it emitted, tickets that are held back, open calls. */
import type { Intent } from '../../../engine/index.ts'
import type { WebhookCallRequest } from '../../../ports/sender.ts'
import type { DeadDelivery, DeliveryHistory, RedriveProgress, RetryTicket } from '../../../schemas/index.ts'
import type { DeliverShape } from '../deliver.ts'

export type StoreName = keyof DeliverShape['stores']

export const storeNames: readonly StoreName[] = [
  'bodies',
  'states',
  'endpoints',
  'remembered',
  'expiries',
  'queues',
  'redrives',
]

/** A ticket in a delay topic. */
export interface HeldTicket {
  readonly ticket: RetryTicket
  readonly dueAt: number
}

/** An intent that is written; `started` once its call may have gone out. */
export interface OpenCall {
  readonly intent: Intent<WebhookCallRequest>
  readonly started: boolean
}

/** Written in place until it is committed; a commit and an abort take copies. */
export interface World {
  /** Encoded values. */
  readonly stores: Readonly<Record<StoreName, Map<string, Uint8Array>>>
  readonly history: DeliveryHistory[]
  readonly dead: DeadDelivery[]
  tickets: HeldTicket[]
  readonly calls: Map<string, OpenCall>
  /** When the intent of each id was written last. */
  readonly usedIds: Map<string, number>
  /** The latest report of each redrive. */
  readonly redrives: Map<string, RedriveProgress>
}

export const emptyWorld = (): World => ({
  stores: storesOf(() => new Map()),
  history: [],
  dead: [],
  tickets: [],
  calls: new Map(),
  usedIds: new Map(),
  redrives: new Map(),
})

export const copyWorld = (from: World): World => ({
  stores: storesOf((name) => new Map(from.stores[name])),
  history: [...from.history],
  dead: [...from.dead],
  tickets: [...from.tickets],
  calls: new Map(from.calls),
  usedIds: new Map(from.usedIds),
  redrives: new Map(from.redrives),
})

const storesOf = (bytesOf: (name: StoreName) => Map<string, Uint8Array>): World['stores'] => ({
  bodies: bytesOf('bodies'),
  states: bytesOf('states'),
  endpoints: bytesOf('endpoints'),
  remembered: bytesOf('remembered'),
  expiries: bytesOf('expiries'),
  queues: bytesOf('queues'),
  redrives: bytesOf('redrives'),
})
