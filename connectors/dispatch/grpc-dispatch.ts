/**
 * Asks a dispatch system over gRPC who delivers an order: one deadline over all of a question, one repeat when it is
 * unavailable, and a circuit breaker before it. Whatever goes wrong is an answer, and never quotes a secret.
 */
import { type ServiceError, status } from '@grpc/grpc-js'
import type { Clock, Random } from '../../engine/index.ts'
import type { DispatchAnswer, DispatchLookup } from '../../ports/dispatch.ts'
import { type AssignmentOf, isAbout, riderOf } from './assignment-message.ts'
import { type BreakerState, type CircuitBreaker, circuitBreaker, type Pass } from './circuit-breaker.ts'
import { defaultDispatchDeadlineMs } from './deadline.ts'
import { type DispatchChannel, type DispatchChannelOptions, openDispatchChannel } from './dispatch-channel.ts'

export interface GrpcDispatchOptions extends DispatchChannelOptions {
  /** Real time. */
  readonly clock: Clock
  readonly random: Random
  /** For all of a question, its repeat included. */
  readonly deadlineMs?: number
  /** Of our own unless given; it is told of every call. */
  readonly breaker?: CircuitBreaker
}

export interface GrpcDispatch extends DispatchLookup {
  state(): BreakerState
  close(): void
}

/** How long the repeat waits: at least the first, at most both together. */
const repeatAfterMs = 50
const repeatSpreadMs = 50

/** Opens the client; it connects when it is used. Throws when the certificates are unusable. */
export function createGrpcDispatch(options: GrpcDispatchOptions): GrpcDispatch {
  const { clock, random, address } = options
  const deadlineMs = options.deadlineMs ?? defaultDispatchDeadlineMs
  let channel: DispatchChannel = openDispatchChannel(options)
  let closed = false

  /** A connection that died without a word times out call after call: after a pause a new one is tried. */
  let suspect = false
  const freshChannel = () => {
    channel.close()
    channel = openDispatchChannel(options)
    suspect = false
  }
  const breaker = options.breaker ?? circuitBreaker({ clock })

  async function ask(of: AssignmentOf, signal: AbortSignal, pass: Pass): Promise<DispatchAnswer> {
    const limits = { deadlineAt: clock.now() + deadlineMs, signal }
    let failure = await attempt(of, limits)
    if (isServiceError(failure) && failure.code === status.UNAVAILABLE) {
      const pauseMs = repeatAfterMs + random.next() * repeatSpreadMs
      if (clock.now() + pauseMs < limits.deadlineAt) {
        await pause(clock, pauseMs, signal)
        failure = await attempt(of, limits)
      }
    }
    return settle(failure, pass)
  }

  /** The answer, or the error that came instead. */
  async function attempt(
    of: AssignmentOf,
    limits: Parameters<DispatchChannel['getAssignment']>[1],
  ): Promise<DispatchAnswer | ServiceError> {
    try {
      const assignment = await channel.getAssignment(of, limits)
      // Somebody else's rider is nobody's.
      if (!assignment || !isAbout(assignment, of)) return { kind: 'not_yet' }
      return { kind: 'found', rider: riderOf(assignment) }
    } catch (error) {
      if (isServiceError(error)) return error
      throw error
    }
  }

  function settle(result: DispatchAnswer | ServiceError, pass: Pass): DispatchAnswer {
    if (!isServiceError(result)) {
      pass.succeeded()
      return result
    }
    switch (result.code) {
      case status.NOT_FOUND:
        pass.succeeded()
        return { kind: 'not_yet' }
      case status.CANCELLED:
        pass.abandoned()
        break
      case status.INVALID_ARGUMENT:
      case status.OUT_OF_RANGE:
      case status.FAILED_PRECONDITION:
        // About this one question: dispatch itself is well.
        pass.succeeded()
        break
      default:
        pass.failed()
        if (breaker.state() === 'open') suspect = true
    }
    return { kind: 'unavailable', message: describe(address, result) }
  }

  return {
    async lookup(orderId, attemptNo, { signal }) {
      if (signal.aborted) return { kind: 'unavailable', message: 'the question was withdrawn' }
      const pass = closed ? undefined : breaker.enter()
      if (!pass) {
        const why = closed
          ? 'is no longer asked'
          : 'failed several times in a row and is left alone for a moment'
        return { kind: 'unavailable', message: `dispatch at ${address} ${why}` }
      }
      if (suspect) freshChannel()
      try {
        return await ask({ orderId, attemptNo }, signal, pass)
      } catch (error) {
        pass.abandoned()
        throw error
      }
    },
    state: breaker.state,
    close() {
      closed = true
      channel.close()
    },
  }
}

const isServiceError = (value: unknown): value is ServiceError =>
  value instanceof Error && 'code' in value && 'details' in value

/** Enough of what the other side says to find it in its log. */
const detailCharactersMax = 200

function describe(address: string, { code, details }: ServiceError): string {
  const said = details.replaceAll(/\s+/g, ' ').slice(0, detailCharactersMax)
  return `dispatch at ${address} answered ${status[code] ?? code}: ${said}${mendOf(code)}`
}

function mendOf(code: status): string {
  switch (code) {
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return '; check dispatch.tls and dispatch.token_file'
    case status.UNIMPLEMENTED:
      return '; it does not offer waybill.dispatch.v1.Dispatch, see connectors/dispatch/dispatch.proto'
    default:
      return ''
  }
}

/** Ends at once when the signal aborts; the next attempt notices. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.at(clock.now() + ms, finish)
    function finish() {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    signal.addEventListener('abort', finish)
  })
}
