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
import type { EndpointControl } from './endpoint-control.ts'
import type { EndpointQueues } from './endpoint-queues.ts'
import { type Report, routingFacts } from './history.ts'
import type { Held, Ledger, StatusChanges } from './ledger.ts'
import type { DeliverRules } from './rules.ts'
import { callId, type QueueServer, skip } from './serve-queue.ts'
import { type DeliverContext, type DeliverTimes, deliverCounters, type RetryTier } from './shape.ts'
import { dueAt, writeTicket } from './tickets.ts'

export interface OutcomeParts {
  readonly context: DeliverContext
  readonly queues: EndpointQueues
  readonly book: EndpointBook
  readonly control: EndpointControl
  readonly ledger: Ledger
  readonly server: QueueServer
  readonly rules: Pick<DeliverRules, 'decideRetry' | 'jitterMs'>
  readonly tiers: readonly RetryTier[]
  readonly times: Pick<DeliverTimes, 'failingMaxMs'>
  /** An endpoint answers again after it had missed something. */
  readonly onRecovered: (endpointId: string) => void
}

type CallResult = EffectResult<WebhookCallResult>

/** An ended request: what decides, and the record of it. */
interface Ended {
  readonly outcome: Pick<SendOutcome, 'class' | 'durationMs' | 'retryAfterMs'>
  readonly attempt: Attempt
}

/** Why an endpoint is disabled that has not answered for days. */
const longFailure = 'long_failure'

/** Attempts whose handler failed got no id of their own; this one is the same whoever processes the failure. */
const failedCallNamespace = '0b8f2d55-3c0e-5a6b-8f5b-6f1f7d9b1a20'

/** Makes the function that takes the results of calls. */
export function makeOutcomes(
  parts: OutcomeParts,
): (intent: Intent<WebhookCallRequest>, result: CallResult) => void {
  const { context, queues, book, control, ledger, server, rules, tiers, times, onRecovered } = parts
  const delaysMs = tiers.map(({ delayMs }) => delayMs)

  /** No request was made, so no attempt is used up. The credit comes back, the place in the queue too. */
  const giveBack = (held: Held): void => {
    if (held.status.cancel_requested) skip(context, ledger, held, 'cancelled')
    else ledger.move(held, 'return', {})
  }

  /** Disables an endpoint that wants no more, or has failed for days; told among the records of the delivery. */
  const disableIfDue = (held: Held, outcome: OutcomeClass): Held => {
    const { endpoint_id } = held.status
    const failingSince = book.find(endpoint_id)?.failing_since ?? null
    const isLost = failingSince !== null && context.now() - failingSince >= times.failingMaxMs
    const reason = outcomeClasses[outcome].disablesEndpoint ? outcome : isLost ? longFailure : undefined
    if (reason === undefined || !book.autoDisable(endpoint_id, reason)) return held
    return ledger.note(held, {}, { change: 'AUTO_DISABLED', reason })
  }

  const enterTier = (held: Held, changes: StatusChanges, tierNo: number, report: Report): void => {
    const tier = tierOf(tiers, tierNo)
    const due_at = dueAt({ context, rules }, tier, held.id, held.status.generation)
    writeTicket(context, tier, ledger.move(held, 'fail', { ...changes, due_at, tier: tierNo }, report))
  }

  const decided = (held: Held, { outcome, attempt }: Ended): void => {
    const { status } = held
    const decision = rules.decideRetry({
      outcome: outcome.class,
      retryAfterMs: outcome.retryAfterMs,
      retryCount: status.requests,
      delaysMs: status.trigger === 'TEST' ? [] : delaysMs,
      ownFaults: status.own_faults,
      cancelRequested: status.cancel_requested,
      standing: book.standing(status.endpoint_id),
    })
    const counted = {
      requests: status.requests + 1,
      attempts: status.attempts + 1,
      first_attempted_at: status.first_attempted_at ?? attempt.started_at,
      cancel_requested: false,
      due_at: null,
    }
    const report = { change: 'ATTEMPTED', attempt } as const
    switch (decision.kind) {
      case 'delivered':
        ledger.move(held, 'acknowledge', counted, report)
        context.count(deliverCounters.delivered)
        break
      case 'retry':
        enterTier(held, { ...counted, requests: decision.retry }, decision.retry, report)
        break
      case 'repeat': {
        const own_faults = status.own_faults + 1
        enterTier(held, { ...counted, requests: status.requests, own_faults }, 1, report)
        break
      }
      case 'dead': {
        const { reason } = decision
        const dead = ledger.move(held, 'die', { ...counted, reason }, report)
        if (status.trigger !== 'TEST') emitDead(context, dead, reason, attempt)
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

  const ended = (held: Held, request: Ended): void => {
    const { class: outcome } = request.outcome
    const { endpoint_id } = held.status
    context.count(deliverCounters.attempts, { class: outcome })
    const open = queues.of(endpoint_id).open - 1
    const { recovered } = control.ended(endpoint_id, { outcome: request.outcome, open })
    decided(outcomeClasses[outcome].acknowledged ? held : disableIfDue(held, outcome), request)
    if (recovered) onRecovered(endpoint_id)
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
  return { outcome: sent.outcome, attempt }
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
  return { outcome, attempt }
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
