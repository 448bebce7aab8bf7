/** How the sender of a process reaches endpoints that misbehave: what it trusts, and what it may call. */
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import type { EgressSettings } from '../../connectors/webhook/http-sender.ts'

export interface Reach {
  readonly egress: EgressSettings
  /** PEM. */
  readonly trusted: string
  readonly resolve: () => Promise<readonly string[]>
}

/** The name that flips has a private address besides, every third time. */
export function makeReach(trusted: string): Reach {
  let asked = 0
  return {
    egress: loopbackEgress,
    trusted,
    resolve: async () => (asked++ % 3 === 2 ? ['127.0.0.1', '10.0.0.7'] : ['127.0.0.1']),
  }
}
