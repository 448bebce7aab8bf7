/**
 * What is stored of each endpoint: whose it is, the system's part of its state, which DELIVER alone sets and lifts,
 * and how it did lately as far as a restart must know. And how it stands, with the partner's part together.
 */
import type { EndpointSystemState } from '../../schemas/index.ts'
import { type EndpointStanding, endpointStanding } from './endpoint-standing.ts'
import { type EndpointReport, endpointRecord } from './history.ts'
import { type DeliverContext, deliverCounters } from './shape.ts'

export interface EndpointBook {
  /** Notes whose endpoint it is; needed to find its settings when only its id is known. */
  register(endpointId: string, partnerId: string): void
  find(endpointId: string): EndpointSystemState | undefined
  standing(endpointId: string): EndpointStanding
  /** Whether the order of its events is to be kept; one whose settings are not there keeps it. */
  isStrict(endpointId: string): boolean
  /** Stores what changed, if anything did, and reports it if there is something to say. */
  update(endpointId: string, changes: Partial<EndpointSystemState>, report?: EndpointReport): void
  /** `false` when the system had disabled it before. */
  autoDisable(endpointId: string, reason: string): boolean
  /** Lifts the system's part; `false` when there is nothing to lift. */
  enable(endpointId: string, requestedBy: string): boolean
  /** Endpoints that may have missed something and have not answered since. */
  missing(): Iterable<string>
  load(endpointId: string, state: EndpointSystemState): void
}

/** The book of one task. Entries are read for nearly every record: all are kept in memory too. */
export function makeEndpointBook(context: DeliverContext): EndpointBook {
  const { endpoints } = context.stores
  const { partners } = context.globals
  const known = new Map<string, EndpointSystemState>()
  const missing = new Set<string>()

  const keep = (endpointId: string, state: EndpointSystemState): void => {
    known.set(endpointId, state)
    if (state.missed_since === null) missing.delete(endpointId)
    else missing.add(endpointId)
  }

  const put = (endpointId: string, state: EndpointSystemState): void => {
    keep(endpointId, state)
    endpoints.put(endpointId, state)
  }

  const entryOf = (endpointId: string): EndpointSystemState => {
    const state = known.get(endpointId)
    if (!state) throw new Error(`endpoint ${endpointId} has calls but no entry`)
    return state
  }

  const standing = (endpointId: string): EndpointStanding => {
    const system = known.get(endpointId)
    return endpointStanding(endpointId, system, system && partners.get(system.partner_id))
  }

  const update: EndpointBook['update'] = (endpointId, changes, report) => {
    const before = entryOf(endpointId)
    const version = before.version + (report ? 1 : 0)
    const after = { ...before, ...changes, version }
    if (sameState(before, after)) return
    put(endpointId, after)
    if (report) context.emit.history(endpointId, endpointRecord(endpointId, after, report, context.now()))
  }

  return {
    register(endpointId, partnerId) {
      const state = known.get(endpointId)
      if (state?.partner_id === partnerId) return
      put(endpointId, { ...(state ?? freshState), partner_id: partnerId })
    },
    find: (endpointId) => known.get(endpointId),
    standing,
    isStrict(endpointId) {
      const now = standing(endpointId)
      return 'endpoint' in now ? now.endpoint.strict_order : true
    },
    update,
    autoDisable(endpointId, reason) {
      const before = entryOf(endpointId)
      if (before.auto_disabled_at !== null) return false
      const now = context.now()
      put(endpointId, {
        ...before,
        auto_disabled_at: now,
        auto_disabled_reason: reason,
        missed_since: before.missed_since ?? before.failing_since ?? now,
        version: before.version + 1,
      })
      context.count(deliverCounters.autoDisabled, { reason })
      return true
    },
    enable(endpointId, requestedBy) {
      if (!known.get(endpointId) || entryOf(endpointId).auto_disabled_at === null) return false
      // Whether it answers again is for one probe to find out.
      const probed = {
        suspect: false,
        failing_since: null,
        breaker_openings: 1,
        breaker_until: context.now(),
      }
      update(
        endpointId,
        { auto_disabled_at: null, auto_disabled_reason: null, ...probed },
        { change: 'ENABLED', reason: `requested_by_${requestedBy}` },
      )
      return true
    },
    missing: () => missing,
    load: keep,
  }
}

const freshState = {
  auto_disabled_at: null,
  auto_disabled_reason: null,
  version: 0,
  suspect: false,
  failing_since: null,
  breaker_openings: 0,
  breaker_until: null,
  missed_since: null,
} as const satisfies Partial<EndpointSystemState>

const sameState = (one: EndpointSystemState, other: EndpointSystemState): boolean =>
  one.version === other.version &&
  one.suspect === other.suspect &&
  one.failing_since === other.failing_since &&
  one.breaker_openings === other.breaker_openings &&
  one.breaker_until === other.breaker_until &&
  one.missed_since === other.missed_since &&
  one.auto_disabled_at === other.auto_disabled_at &&
  one.auto_disabled_reason === other.auto_disabled_reason
