/** The system's part of an endpoint's state, which DELIVER alone sets and lifts, and how an endpoint stands with
 * both parts together. */
import type { OutcomeClass } from '../../ports/sender.ts'
import { type EndpointStanding, endpointStanding } from './endpoint-standing.ts'
import { enabledRecord } from './history.ts'
import { type DeliverContext, deliverCounters } from './shape.ts'

export interface EndpointBook {
  /** Notes whose endpoint it is; needed to find its settings when only its id is known. */
  register(endpointId: string, partnerId: string): void
  standing(endpointId: string): EndpointStanding
  /** `false` when the system had disabled it before. */
  autoDisable(endpointId: string, reason: OutcomeClass): boolean
  /** Lifts the system's part; `false` when there is nothing to lift. */
  enable(endpointId: string, requestedBy: string): boolean
}

/** The book of one task. */
export function makeEndpointBook(context: DeliverContext): EndpointBook {
  const { endpoints } = context.stores
  const { partners } = context.globals
  return {
    register(endpointId, partnerId) {
      const known = endpoints.get(endpointId)
      if (known?.partner_id === partnerId) return
      const fresh = {
        auto_disabled_at: null,
        auto_disabled_reason: null,
        version: 0,
        suspect: false,
        failing_since: null,
        breaker_openings: 0,
        breaker_until: null,
        missed_since: null,
      }
      endpoints.put(endpointId, { ...(known ?? fresh), partner_id: partnerId })
    },
    standing(endpointId) {
      const system = endpoints.get(endpointId)
      return endpointStanding(endpointId, system, system && partners.get(system.partner_id))
    },
    autoDisable(endpointId, reason) {
      const system = endpoints.get(endpointId)
      if (!system) throw new Error(`endpoint ${endpointId} has calls but no entry`)
      if (system.auto_disabled_at !== null) return false
      endpoints.put(endpointId, {
        ...system,
        auto_disabled_at: context.now(),
        auto_disabled_reason: reason,
        version: system.version + 1,
      })
      context.count(deliverCounters.autoDisabled, { reason })
      return true
    },
    enable(endpointId, requestedBy) {
      const system = endpoints.get(endpointId)
      if (!system || system.auto_disabled_at === null) return false
      const enabled = {
        ...system,
        auto_disabled_at: null,
        auto_disabled_reason: null,
        version: system.version + 1,
      }
      endpoints.put(endpointId, enabled)
      context.emit.history(endpointId, enabledRecord(endpointId, enabled, requestedBy, context.now()))
      return true
    },
  }
}
