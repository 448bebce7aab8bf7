/**
 * What people ask for. Each command is done at most once by its id, and answered: in the counter always, in the
 * history where there is a delivery to speak of and it waits.
 */
import type { DeliveryCommand, TestEvent } from '../../schemas/index.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { EndpointControl } from './endpoint-control.ts'
import type { Held, Ledger } from './ledger.ts'
import type { Memory } from './memory.ts'
import { sendAgain } from './redrive-walk.ts'
import { orderOf, type Redrives } from './redrives.ts'
import type { DeliverRules } from './rules.ts'
import { callId, isLate, type QueueServer, skip } from './serve-queue.ts'
import { type DeliverContext, deliverCounters } from './shape.ts'

type EndpointCommandKind = (typeof endpointCommands)[number]
type DeliveryCommandKind = Exclude<DeliveryCommand['kind'], 'UNKNOWN' | EndpointCommandKind>

/** Those about an endpoint as a whole; the others name a delivery. */
const endpointCommands = ['ENABLE', 'PROBE', 'REDRIVE_MATCHING', 'STOP_REDRIVE', 'TEST'] as const

const isAboutEndpoint = (kind: DeliveryCommand['kind']): kind is EndpointCommandKind =>
  endpointCommands.some((known) => known === kind)

/** How a command was taken. */
export type CommandAnswer =
  | 'done'
  /** A cancel while the call is in flight: it acts on the outcome. */
  | 'on_outcome'
  /** The same command id was done before. */
  | 'repeated'
  | 'already_being_sent'
  | 'already_waiting'
  /** Retry now and cancel are for what waits; a dead or skipped one is redriven. */
  | 'not_waiting'
  | 'already_delivered'
  /** Unknown here, or forgotten since. */
  | 'gone'
  | 'nothing_to_enable'
  /** A newer event of its order was delivered, and nobody confirmed that it may come late. */
  | 'out_of_order'
  /** A probe where no breaker holds anything back. */
  | 'nothing_to_probe'
  /** A stop where no such redrive looks for more. */
  | 'nothing_to_stop'

export interface CommandParts {
  readonly context: DeliverContext
  readonly book: EndpointBook
  readonly ledger: Ledger
  readonly memory: Memory
  readonly control: EndpointControl
  readonly server: QueueServer
  readonly redrives: Redrives
  readonly rules: Pick<DeliverRules, 'mayComeLate'>
  /** Takes in the event of a test. */
  readonly acceptTest: (test: TestEvent, endpointId: string) => void
}

/** Makes the function that takes commands. */
export function makeCommands(parts: CommandParts): (command: DeliveryCommand) => void {
  const { context, book, control, ledger, memory, server, redrives, rules, acceptTest } = parts

  const retryNow = (held: Held): CommandAnswer => {
    const { status } = held
    switch (status.phase) {
      case 'in_flight':
        ledger.note(held, {}, { change: 'RETRY_REQUESTED', reason: 'refused_already_being_sent' })
        return 'already_being_sent'
      case 'queued':
      case 'in_tier':
        ledger.move(
          held,
          'hurry',
          { trigger: 'MANUAL', due_at: null, generation: status.generation + 1 },
          { change: 'RETRY_REQUESTED' },
        )
        return 'done'
      case 'dead':
      case 'skipped':
        return 'not_waiting'
    }
  }

  const cancel = (held: Held): CommandAnswer => {
    const { status } = held
    switch (status.phase) {
      case 'queued':
      case 'in_tier':
        skip(context, ledger, held, 'cancelled')
        return 'done'
      case 'in_flight':
        if (context.effects.call.withdraw(callId(held.id, status.calls)) === 'withdrawn') {
          skip(context, ledger, held, 'cancelled')
          return 'done'
        }
        ledger.note(held, { cancel_requested: true }, { change: 'CANCELLED', reason: 'cancel_requested' })
        return 'on_outcome'
      case 'dead':
      case 'skipped':
        return 'not_waiting'
    }
  }

  const redrive = (held: Held, confirmed: boolean): CommandAnswer => {
    const { status } = held
    switch (status.phase) {
      case 'dead':
      case 'skipped': {
        const isStrict = book.isStrict(status.endpoint_id)
        const late = isLate({ memory }, status, { strict_order: isStrict })
        if (!rules.mayComeLate({ isStrict, isLate: late, confirmed })) {
          ledger.note(held, {}, { change: 'REDRIVEN', reason: 'refused_out_of_order' })
          return 'out_of_order'
        }
        sendAgain(ledger, held, { byHand: true, automatic: false, redriveId: null, outOfOrder: late })
        return 'done'
      }
      case 'queued':
      case 'in_tier':
      case 'in_flight':
        ledger.note(held, {}, { change: 'REDRIVEN', reason: 'refused_already_waiting' })
        return 'already_waiting'
    }
  }

  const aboutEndpoint = (command: DeliveryCommand, kind: EndpointCommandKind): CommandAnswer => {
    const { command_id, endpoint_id, requested_by, redrive_id, test } = command
    switch (kind) {
      case 'ENABLE':
        return book.enable(endpoint_id, requested_by) ? 'done' : 'nothing_to_enable'
      case 'PROBE':
        return control.probeNow(endpoint_id) ? 'done' : 'nothing_to_probe'
      case 'REDRIVE_MATCHING':
        redrives.begin(command_id, orderOf(command))
        return 'done'
      case 'STOP_REDRIVE':
        return redrive_id !== null && redrives.stop(redrive_id, endpoint_id) ? 'done' : 'nothing_to_stop'
      case 'TEST':
        if (test) acceptTest(test, endpoint_id)
        return 'done'
    }
  }

  const aboutDelivery = (
    { delivery_id, confirm_out_of_order }: DeliveryCommand,
    kind: DeliveryCommandKind,
  ): CommandAnswer => {
    const id = delivery_id ?? ''
    const held = ledger.find(id)
    if (!held) return memory.settledAs(id) === 'delivered' ? 'already_delivered' : 'gone'
    switch (kind) {
      case 'RETRY_NOW':
        return retryNow(held)
      case 'CANCEL':
        return cancel(held)
      case 'REDRIVE':
        return redrive(held, confirm_out_of_order)
    }
  }

  const answer = (command: DeliveryCommand): CommandAnswer => {
    const { kind, command_id } = command
    if (kind === 'UNKNOWN') return context.reject('unknown_command', 'this version does not know its kind')
    if (isAboutEndpoint(kind)) {
      if (kind === 'TEST' && command.test === null)
        context.reject('command_without_test', 'TEST brings no event')
      if (!memory.rememberCommand(command_id, context.now())) return 'repeated'
      return aboutEndpoint(command, kind)
    }
    if (command.delivery_id === null) {
      return context.reject('command_without_delivery', `${kind} names no delivery_id`)
    }
    if (!memory.rememberCommand(command_id, context.now())) return 'repeated'
    return aboutDelivery(command, kind)
  }

  return (command) => {
    const answered = answer(command)
    context.count(deliverCounters.commands, { kind: command.kind, answer: answered })
    server.serve(command.endpoint_id)
  }
}
