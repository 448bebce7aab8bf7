/** What becomes of a delivery when its call comes back. */
import { v5 } from 'uuid'
import type { EffectResult, Intent } from '../../engine/index.ts'
import {
  type OutcomeClass,
  outcomeClasses,
  type SendOutcome,
  type WebhookCallRequest,
  type WebhookCallResult,
} from '../../ports/sender.ts'
import type { Attempt } from '../../schemas/index.ts'
import type { EndpointBook } from './endpoint-book.ts'
import { routingFacts } from './history.ts'
import type { Held, Ledger } from './ledger.ts'
import type { DeliverRules } from './rules.ts'
import { callId, type QueueServer, skip } from './serve-queue.ts'
import { type DeliverContext, deliverCounters, type RetryTier } from './shape.ts'
import { writeTicket } from './tickets.ts'

export interface OutcomeParts {
  readonly context: DeliverContext
  readonly book: EndpointBook
  readonly ledger: Ledger
  readonly server: QueueServer
  readonly rules: Pick<DeliverRules, 'decideRetry'>
  readonly tiers: readonly RetryTier[]
}

type CallResult = EffectResult<WebhookCallResult>

/** An ended request, with the class that decides; `Attempt` carries it as text. */
interface Ended {
  readonly class: OutcomeClass
  readonly attempt: Attempt
}

/** Attempts whose handler failed got no id of their own; this one is the same whoever processes the failure. */
const failedCallNamespace = '0b8f2d55-3c0e-5a6b-8f5b-6f1f7d9b1a20'

/** Makes the function that takes the results of calls. */
export function makeOutcomes(
  parts: OutcomeParts,
): (intent: Intent<WebhookCallRequest>, result: CallResult) => void {
  const { context, book, ledger, server, rules, tiers } = parts

  /** No request was made, so no attempt is used up. The credit comes back, the place in the queue too. */
  const giveBack = (held: Held): void => {
    if (held.status.cancel_requested) skip(context, ledger, held, 'cancelled')
    else ledger.move(held, 'return', {})
  }

  const ended = (held: Held, { class: outcome, attempt }: Ended): void => {
    context.count(deliverCounters.attempts, { class: outcome })
    const { endpoint_id } = held.status
    if (outcomeClasses[outcome].disablesEndpoint && book.autoDisable(endpoint_id, outcome)) {
      held = ledger.note(held, {}, { change: 'AUTO_DISABLED', reason: outcome })
    }
    const decision = rules.decideRetry({
      outcome,
      retryCount: held.status.requests,
      retriesMax: tiers.length,
      cancelRequested: held.status.cancel_requested,
      standing: book.standing(endpoint_id),
    })
    const counted = {
      requests: held.status.requests + 1,
      attempts: held.status.attempts + 1,
      first_attempted_at: held.status.first_attempted_at ?? attempt.started_at,
      cancel_requested: false,
      due_at: null,
    }
    const report = { change: 'ATTEMPTED', attempt } as const
    switch (decision.kind) {
      case 'delivered':
        ledger.move(held, 'acknowledge', counted, report)
        context.count(deliverCounters.delivered)
        break
      case 'retry': {
        const tier = tierOf(tiers, decision.retry)
        const due = { ...counted, due_at: context.now() + tier.delayMs }
        writeTicket(context, tier, ledger.move(held, 'fail', due, report))
        break
      }
      case 'dead': {
        const { reason } = decision
        const dead = ledger.move(held, 'die', { ...counted, reason }, report)
        emitDead(context, dead, reason, attempt)
        context.count(deliverCounters.dead, { reason })
        break
      }
      case 'skipped': {
        const { reason } = decision
        ledger.move(held, 'skip', { ...counted, reason }, report)
        context.count(deliverCounters.skipped, { reason })
        break
      }
    }
  }

  return (intent, result) => {
    const held = ledger.find(intent.request.delivery_id)
    // Only a call in flight can come back, and only results leave that phase: anything else is a bug of ours.
    if (held?.status.phase !== 'in_flight' || intent.id !== callId(held.id, held.status.calls)) {
      throw new Error(`call ${intent.id} came back for a delivery that does not wait for it`)
    }
    const { endpoint_id } = held.status
    switch (result.kind) {
      case 'expired':
        // Not skipped right here: its turn is decided anew, with the maximum age that holds now.
        context.count(deliverCounters.expired)
        giveBack(held)
        break
      case 'handler_failed':
        ended(held, failedAttempt(held, intent, result, context.now()))
        break
      case 'done':
        if (result.result.kind === 'not_sent') {
          context.count(deliverCounters.notSent, { reason: result.result.reason })
          giveBack(held)
          // Served by the next sweep: asking again at once would only go round in a circle.
          return
        }
        ended(held, sentAttempt(intent.request, result.result, result.again))
        break
    }
    server.serve(endpoint_id)
  }
}

/** The tier of the nth retry. */
export function tierOf(tiers: readonly RetryTier[], retry: number): RetryTier {
  const tier = tiers[retry - 1]
  if (!tier) throw new Error(`there is no tier for retry ${retry}`)
  return tier
}

function sentAttempt(
  request: WebhookCallRequest,
  sent: Extract<WebhookCallResult, { kind: 'sent' }>,
  again: boolean,
): Ended {
  const attempt: Attempt = {
    attempt_id: sent.attemptId,
    retry_count: request.retry_count,
    trigger: request.trigger,
    started_at: sent.startedAt,
    outcome: outcomeRecord(sent.outcome),
    again,
    retry_after_ms: sent.outcome.retryAfterMs,
  }
  return { class: sent.outcome.class, attempt }
}

/**
 * The code that calls failed, or was started too often without an outcome. It counts as a failed request, because a
 * request may have gone out, and because a call that always fails must end somewhere: in `dead`, to be redriven.
 */
function failedAttempt(
  held: Held,
  intent: Intent<WebhookCallRequest>,
  failure: Extract<CallResult, { kind: 'handler_failed' }>,
  now: number,
): Ended {
  const outcome = {
    class: 'handler_failed',
    statusCode: null,
    detail: failure.message,
    durationMs: 0,
    retryAfterMs: null,
  } as const
  const attempt: Attempt = {
    attempt_id: v5(intent.id, failedCallNamespace),
    retry_count: held.status.requests,
    trigger: held.status.trigger,
    started_at: now,
    outcome: outcomeRecord(outcome),
    again: failure.starts > 1,
    retry_after_ms: null,
  }
  return { class: outcome.class, attempt }
}

/** Longer texts say no more, and every record of the history carries one. */
const detailCharactersMax = 512

const outcomeRecord = (outcome: SendOutcome): Attempt['outcome'] => ({
  class: outcome.class,
  status_code: outcome.statusCode,
  detail: outcome.detail?.slice(0, detailCharactersMax) ?? null,
  duration_ms: Math.round(outcome.durationMs),
})

function emitDead(context: DeliverContext, dead: Held, reason: string, attempt: Attempt): void {
  const { id, status, body } = dead
  context.emit.dead(status.endpoint_id, {
    delivery_id: id,
    ...routingFacts(body),
    config_version: body.config_version,
    body: body.body,
    died_at: context.now(),
    reason,
    attempts: status.attempts,
    last_outcome: attempt.outcome,
  })
}
