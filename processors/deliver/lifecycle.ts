/**
 * The states of a delivery and the only ways between them.
 *
 *   accept ─► queued ──call──► in_flight ──acknowledge──► (delivered: nothing is kept but the pair)
 *              ▲  ▲ ◄─return──┘ │  │  │
 *              │  │             │  │  └──────die────► dead ────redrive──┐
 *              │  └─due, hurry─ in_tier ◄─fail         │                │
 *              │                   │ ▲ reticket        │                │
 *              └───────────────────┼─┴─────────────────┴────────────────┘
 *       queued, in_flight, in_tier ┴─skip──► skipped ──redrive──► queued
 */
import type { DeliveryPhase, DeliveryState } from '../../schemas/index.ts'

export type Move =
  /** Its turn came: an intent is written and a credit taken. */
  | 'call'
  /** The call made no request, or was withdrawn: back to the queue. */
  | 'return'
  | 'acknowledge'
  /** A failed request with a retry left. */
  | 'fail'
  /** A failed request with none left. */
  | 'die'
  | 'skip'
  /** Its ticket came due. */
  | 'due'
  /** Somebody wants its next request now. */
  | 'hurry'
  /** Its ticket is lost and was written again. */
  | 'reticket'
  /** Somebody wants it sent after all. */
  | 'redrive'

/** Where a move ends; `delivered` leaves nothing behind but the remembered pair. */
export type Destination = DeliveryPhase | 'delivered'

export type TransitionTable = Readonly<Record<DeliveryPhase, Partial<Record<Move, Destination>>>>

export const transitions: TransitionTable = {
  queued: { call: 'in_flight', skip: 'skipped', hurry: 'queued' },
  in_flight: {
    return: 'queued',
    acknowledge: 'delivered',
    fail: 'in_tier',
    die: 'dead',
    skip: 'skipped',
  },
  in_tier: { due: 'queued', hurry: 'queued', skip: 'skipped', reticket: 'in_tier' },
  dead: { redrive: 'queued' },
  skipped: { redrive: 'queued' },
}

/** Where a move leads. One that the table does not hold is a bug. */
export function destination(phase: DeliveryPhase, move: Move): Destination {
  const to = transitions[phase][move]
  if (to === undefined) throw new Error(`a delivery that is ${phase} cannot ${move}`)
  return to
}

/** The state that is shown: all that is not settled is waiting. */
export function stateOf(at: Destination): DeliveryState {
  switch (at) {
    case 'queued':
    case 'in_flight':
    case 'in_tier':
      return 'waiting'
    case 'delivered':
    case 'dead':
    case 'skipped':
      return at
  }
}
