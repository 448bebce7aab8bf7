/**
 * Endpoints that do everything a receiver can do wrong, some always and some now and then, beside some that do nothing
 * wrong; and 10,000 deliveries for them.
 */

import type { Delivery } from '../../schemas/index.ts'
import {
  type Behaviour,
  type HostileOptions,
  type HostileReceiver,
  startHostileReceiver,
} from '../webhook/hostile-receiver.ts'
import { testAuthority } from '../webhook/test-certificates.ts'
import { makeDelivery, type TestEndpoint } from './product.ts'
import { makeReach, type Reach } from './reach.ts'

export const deliveries = 10_000
const healthyCount = 5
const erraticCount = 5
/** For each endpoint that always misbehaves: it is called one at a time, until its deadline, and its breaker opens. */
export const perHostile = 4
/** Long enough that only who really hangs misses it, on a busy machine too. */
const timeoutMs = 1000
export const gigabyte = 2 ** 30

interface Case {
  readonly receiver: HostileOptions
  readonly endpoint?: { readonly state?: 'paused'; readonly host?: string; readonly timeoutMs?: number }
  /** Where all of its deliveries must be in the end; without, only that none is gone. */
  readonly ends?: 'delivered' | 'dead' | 'skipped' | 'waiting'
  /** Whether no request can come in whole. */
  readonly unread?: true
}

const always = (behaviour: Behaviour): HostileOptions => ({ behave: () => behaviour })

/** Misbehaves once for each event, then answers. */
function atFirst(behaviour: Behaviour): HostileOptions {
  const seen = new Set<string | undefined>()
  return {
    behave({ headers }) {
      const id = headers['webhook-id']
      if (seen.has(id)) return { kind: 'answer', status: 200 }
      seen.add(id)
      return behaviour
    },
  }
}

/** What an erratic endpoint does to one event in forty, at first. */
export const mishaps: readonly Behaviour[] = [
  { kind: 'hang', at: 'headers' },
  { kind: 'hang', at: 'body' },
  { kind: 'reset', at: 'headers' },
  { kind: 'reset', at: 'body' },
  { kind: 'redirect', status: 307, to: 'http://127.0.0.1:1/' },
  { kind: 'drip', everyMs: 1000, bytes: 60 },
  { kind: 'lie', says: 900, sends: 3 },
  { kind: 'late', afterMs: timeoutMs * 3, status: 200 },
  { kind: 'garbage', text: 'hello\r\n\r\n' },
  { kind: 'answer', status: 503 },
]
const mishapEvery = 40

/** Which mishap an event meets, by its id. */
export function mishapOf(eventId: string): Behaviour | undefined {
  const hash = Number.parseInt(eventId.slice(0, 8), 16)
  return hash % mishapEvery === 0 ? mishaps[Math.floor(hash / mishapEvery) % mishaps.length] : undefined
}

function erratic(): HostileOptions {
  const seen = new Set<string>()
  return {
    behave({ headers: { 'webhook-id': id = '' } }) {
      const isFirst = !seen.has(id)
      seen.add(id)
      return (isFirst ? mishapOf(id) : undefined) ?? { kind: 'answer', status: 200 }
    },
  }
}

/** Those that always misbehave, by what they do. */
export const hostile: Readonly<Record<string, Case>> = {
  'hangs after the connection': { receiver: { connect: () => 'hang' }, ends: 'dead', unread: true },
  'hangs in TLS': { receiver: { tls: true, connect: () => 'hang_tls' }, ends: 'dead', unread: true },
  'never answers': { receiver: always({ kind: 'hang', at: 'headers' }), ends: 'dead' },
  'never ends its answer': { receiver: always({ kind: 'hang', at: 'body' }), ends: 'dead' },
  'resets connections': { receiver: { connect: () => 'reset' }, ends: 'dead', unread: true },
  'resets before the answer': {
    receiver: always({ kind: 'reset', at: 'headers' }),
    ends: 'dead',
  },
  'resets within the answer': { receiver: always({ kind: 'reset', at: 'body' }), ends: 'dead' },
  redirects: {
    receiver: always({ kind: 'redirect', status: 301, to: 'http://127.0.0.1:1/' }),
    ends: 'dead',
  },
  drips: { receiver: always({ kind: 'drip', everyMs: 1000, bytes: 60 }), ends: 'dead' },
  'sends a gigabyte': { receiver: always({ kind: 'flood', bytes: gigabyte }) },
  'lies about the length': {
    receiver: always({ kind: 'lie', says: 900, sends: 3 }),
    ends: 'dead',
  },
  'answers after the deadline': {
    receiver: always({ kind: 'late', afterMs: timeoutMs * 3, status: 200 }),
    ends: 'dead',
  },
  'speaks no HTTP': {
    receiver: always({ kind: 'garbage', text: 'hello\r\n\r\n' }),
    ends: 'dead',
  },
  'fails always': { receiver: always({ kind: 'answer', status: 500 }), ends: 'dead' },
  'fails at first': { receiver: atFirst({ kind: 'answer', status: 503 }), ends: 'delivered' },
  'is silent at first': {
    receiver: atFirst({ kind: 'hang', at: 'headers' }),
    ends: 'delivered',
  },
  'is gone': { receiver: always({ kind: 'answer', status: 410 }), ends: 'skipped' },
  'is paused': { receiver: {}, endpoint: { state: 'paused' }, ends: 'waiting', unread: true },
  'flips to a private address': {
    // Each connection is closed behind its answer, so that each call looks the name up.
    receiver: always({ kind: 'answer', status: 200, headers: { connection: 'close' } }),
    endpoint: { host: 'flips.test', timeoutMs: 15_000 },
  },
}

export interface Misbehaving {
  readonly healthy: readonly string[]
  readonly erratic: readonly string[]
  /** All of them, by endpoint. */
  readonly receivers: ReadonlyMap<string, HostileReceiver>
  /** The settings of their endpoints, and what the sender needs to reach them. */
  readonly endpoints: readonly TestEndpoint[]
  readonly reach: Reach
  /** The numbers of an endpoint's deliveries. */
  numbersOf(id: string): readonly number[]
  /** All deliveries, in pieces: the hostile endpoints' first, so that they are in the way if anything can be. */
  pieces(now: () => number): Iterable<readonly Delivery[]>
  close(): Promise<void>
}

/** Starts a receiver for each. */
export async function startMisbehaving(): Promise<Misbehaving> {
  const receivers = new Map<string, HostileReceiver>()
  const healthy = Array.from({ length: healthyCount }, (_, at) => `healthy ${at}`)
  const sometimes = Array.from({ length: erraticCount }, (_, at) => `erratic ${at}`)
  for (const id of healthy) receivers.set(id, await startHostileReceiver())
  for (const id of sometimes) receivers.set(id, await startHostileReceiver(erratic()))
  for (const [id, { receiver }] of Object.entries(hostile))
    receivers.set(id, await startHostileReceiver(receiver))
  const numbersOf = new Map<string, number[]>()

  function* pieces(now: () => number) {
    let number = 0
    const add = (id: string): Delivery => {
      const numbers = numbersOf.get(id) ?? []
      numbersOf.set(id, numbers)
      numbers.push(number)
      return makeDelivery(number++, id, now())
    }
    const toHostile = Object.keys(hostile).flatMap((id) => Array.from({ length: perHostile }, () => add(id)))
    yield toHostile
    const others = [...sometimes, ...healthy]
    for (let left = deliveries - toHostile.length; left > 0; left -= 1000) {
      yield Array.from({ length: Math.min(left, 1000) }, () => add(others[number % others.length] ?? ''))
    }
  }

  return {
    healthy,
    erratic: sometimes,
    receivers,
    endpoints: [...receivers].map(([id, { url, port }]) => ({
      id,
      url: hostile[id]?.endpoint?.host === undefined ? url : `http://${hostile[id].endpoint.host}:${port}/`,
      ...(hostile[id]?.endpoint?.state && { state: hostile[id].endpoint.state }),
      // Healthy ones get time enough on a machine that is busy with other things.
      timeoutMs: hostile[id]?.endpoint?.timeoutMs ?? (healthy.includes(id) ? 15_000 : timeoutMs),
      maxConcurrent: 16,
    })),
    reach: makeReach(testAuthority),
    numbersOf: (id) => numbersOf.get(id) ?? [],
    pieces,
    async close() {
      for (const receiver of receivers.values()) await receiver.close()
    },
  }
}
