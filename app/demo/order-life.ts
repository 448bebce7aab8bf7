/**
 * What happens to a simulated order, and when: a day of a real order in well under a minute. Pure: a seeded
 * `Random` in, a list of steps out.
 *
 *     placed ─ confirmed ─ packed ─ out ─┬─ delivered ─── return initiated ─ picked up
 *                 │                      └─ failed ─ out again (up to three attempts) ─ cancelled
 *                 └─ cancelled             ↑
 *                       rider assigned: before it goes out, a moment after, seconds after, or never
 */
import type { Random } from '../../engine/index.ts'
import { between, pick, pickWeighted } from './chance.ts'

export type Story = 'delivered' | 'returned' | 'second_attempt' | 'given_up' | 'cancelled'

export type LifeStep =
  /** The order's row is inserted. */
  | { readonly atMs: number; readonly kind: 'placed' }
  | { readonly atMs: number; readonly kind: 'status'; readonly status: OrderStatus; readonly reason?: string }
  /** Rider and OTP are written; `lagMs` later than usual the change arrives (the database knows before). */
  | { readonly atMs: number; readonly kind: 'assigned'; readonly attempt: number; readonly lagMs: number }
  /** Another rider takes over, with another OTP. */
  | { readonly atMs: number; readonly kind: 'reassigned'; readonly attempt: number }
  /** Rider and status in one transaction. */
  | { readonly atMs: number; readonly kind: 'assigned_and_out'; readonly attempt: number }
  /** Something that is no event: an address is corrected. */
  | { readonly atMs: number; readonly kind: 'edited' }
  /** Nobody will ask about it any more. */
  | { readonly atMs: number; readonly kind: 'forgotten' }

export type OrderStatus =
  | 'NEW'
  | 'CONFIRMED'
  | 'PACKED'
  | 'OUT_FOR_DELIVERY'
  | 'DELIVERED'
  | 'DELIVERY_FAILED'
  | 'RETURN_INITIATED'
  | 'RETURN_PICKED_UP'
  | 'CANCELLED'

const stories = [
  ['delivered', 58],
  ['second_attempt', 18],
  ['returned', 14],
  ['given_up', 4],
  ['cancelled', 6],
] as const

const failureReasons = ['CUSTOMER_UNAVAILABLE', 'ADDRESS_NOT_FOUND', 'REFUSED', 'NO_CASH'] as const
const returnReasons = ['WRONG_ITEM', 'DAMAGED', 'SIZE_ISSUE', 'CHANGED_MIND'] as const

/** Draws the story of an order. The first two are fixed, so that every event is seen within the first minute. */
export function drawStory(random: Random, index: number): Story {
  const drawn = pickWeighted(random, stories)
  if (index === 0) return 'returned'
  return index === 1 ? 'second_attempt' : drawn
}

/** The steps of a story, in order of time from the order's placing. */
export function planLife(random: Random, story: Story): readonly LifeStep[] {
  const steps: LifeStep[] = [{ atMs: 0, kind: 'placed' }]
  let atMs = 0
  const after = (low: number, high: number) => {
    atMs += between(random, low, high)
    return atMs
  }
  const status = (next: OrderStatus, reason?: string) => {
    steps.push({ atMs, kind: 'status', status: next, ...(reason !== undefined && { reason }) })
  }

  // The first event follows the order closely: a newcomer should not wait for it.
  after(300, 1200)
  status('CONFIRMED')
  after(1500, 4000)
  if (random.next() < 0.1) steps.push({ atMs: atMs - 500, kind: 'edited' })
  if (story === 'cancelled') {
    status('CANCELLED')
  } else {
    status('PACKED')
    after(2000, 5000)
    const attempts = story === 'given_up' ? 3 : story === 'second_attempt' ? 2 : 1
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const slow = goOut(random, steps, atMs, attempt)
      after(slow ? 23_000 : 6000, slow ? 27_000 : 12_000)
      const failed = attempt < attempts || story === 'given_up'
      status(failed ? 'DELIVERY_FAILED' : 'DELIVERED', failed ? pick(random, failureReasons) : undefined)
      after(7000, 12_000)
    }
    if (story === 'given_up') status('CANCELLED')
    if (story === 'returned') {
      const reason = pick(random, returnReasons)
      status('RETURN_INITIATED', reason)
      after(6000, 12_000)
      status('RETURN_PICKED_UP', reason)
    }
  }
  steps.push({ atMs: atMs + 30_000, kind: 'forgotten' })
  return steps.sort((a, b) => a.atMs - b.atMs)
}

/** When the rider becomes known, against the moment the order goes out. */
const riderTimings = [
  ['before', 74],
  ['together', 10],
  ['just_after', 8],
  ['late', 3],
  ['lagging', 2],
  ['never', 3],
] as const

/** Goes out at `atMs`; answers whether this attempt takes long (nobody knows its rider until the hold ends). */
function goOut(random: Random, steps: LifeStep[], atMs: number, attempt: number): boolean {
  const timing = pickWeighted(random, riderTimings)
  const assigned = (offsetMs: number, lagMs = 0) =>
    steps.push({ atMs: atMs + offsetMs, kind: 'assigned', attempt, lagMs })
  if (timing === 'together') {
    steps.push({ atMs, kind: 'assigned_and_out', attempt })
    return false
  }
  steps.push({ atMs, kind: 'status', status: 'OUT_FOR_DELIVERY' })
  if (timing === 'just_after') assigned(between(random, 30, 500))
  if (timing === 'late') assigned(between(random, 2500, 5000))
  if (timing === 'lagging') assigned(-300, 5500)
  if (timing === 'before') {
    assigned(-between(random, 400, 1500))
    if (random.next() < 0.06) steps.push({ atMs: atMs - 200, kind: 'reassigned', attempt })
  }
  return timing === 'never' && random.next() < 0.5
}
