/**
 * What people ask for. Each command is done at most once by its id, and answered: in the counter always, in the
 * history where there is a delivery to speak of and it waits.
 */
import type { DeliveryCommand } from '../../schemas/index.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { Held, Ledger } from './ledger.ts'
import type { Memory } from './memory.ts'
import { callId, type QueueServer, skip } from './serve-queue.ts'
import { type DeliverContext, deliverCounters } from './shape.ts'

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

export interface CommandParts {
  readonly context: DeliverContext
  readonly book: EndpointBook
  readonly ledger: Ledger
  readonly memory: Memory
  readonly server: QueueServer
}

/** Makes the function that takes commands. */
export function makeCommands(parts: CommandParts): (command: DeliveryCommand) => void {
  const { context, book, ledger, memory, server } = parts

  const enable = (command: DeliveryCommand): CommandAnswer =>
    book.enable(command.endpoint_id, command.requested_by) ? 'done' : 'nothing_to_enable'

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

  const redrive = (held: Held): CommandAnswer => {
    const { status } = held
    switch (status.phase) {
      case 'dead':
      case 'skipped':
        ledger.move(
          held,
          'redrive',
          { trigger: 'REDRIVE', requests: 0, reason: null, generation: status.generation + 1 },
          { change: 'REDRIVEN' },
        )
        return 'done'
      case 'queued':
      case 'in_tier':
      case 'in_flight':
        ledger.note(held, {}, { change: 'REDRIVEN', reason: 'refused_already_waiting' })
        return 'already_waiting'
    }
  }

  const answer = (command: DeliveryCommand): CommandAnswer => {
    const { kind, delivery_id } = command
    if (kind === 'UNKNOWN') return context.reject('unknown_command', 'this version does not know its kind')
    if (kind !== 'ENABLE' && delivery_id === null) {
      return context.reject('command_without_delivery', `${kind} names no delivery_id`)
    }
    if (!memory.rememberCommand(command.command_id, context.now())) return 'repeated'
    if (kind === 'ENABLE' || delivery_id === null) return enable(command)
    const held = ledger.find(delivery_id)
    if (!held) return memory.settledAs(delivery_id) === 'delivered' ? 'already_delivered' : 'gone'
    switch (kind) {
      case 'RETRY_NOW':
        return retryNow(held)
      case 'CANCEL':
        return cancel(held)
      case 'REDRIVE':
        return redrive(held)
      case 'REDRIVE_MATCHING':
      case 'STOP_REDRIVE':
      case 'PROBE':
      case 'TEST':
        return context.reject('unknown_command', `this version does not do ${kind}`)
    }
  }

  return (command) => {
    const answered = answer(command)
    context.count(deliverCounters.commands, { kind: command.kind, answer: answered })
    server.serve(command.endpoint_id)
  }
}
