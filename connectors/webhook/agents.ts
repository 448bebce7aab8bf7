/**
 * The pools of connections: one for all endpoints, and one for each client certificate, so that no call goes out
 * over a connection that was opened as somebody else.
 */
import { createHash } from 'node:crypto'
import type { Agent } from 'undici'
import type { SendCertificate } from '../../ports/sender.ts'

export interface Agents {
  of(certificate: SendCertificate | null): Agent
  /** Breaks what is still connected or connecting. */
  destroy(): Promise<void>
}

/** Keeps the `max` certified agents that were used last; one that falls out ends when its calls have. */
export function makeAgents(make: (certificate: SendCertificate | null) => Agent, max: number): Agents {
  const common = make(null)
  const certified = new Map<string, Agent>()
  const retired = new Set<Agent>()

  const retireOldest = (): void => {
    const [oldest] = certified
    if (!oldest || certified.size <= max) return
    const [key, agent] = oldest
    certified.delete(key)
    retired.add(agent)
    // Destroying it meanwhile rejects the closing; either way it is over.
    const forget = () => retired.delete(agent)
    agent.close().then(forget, forget)
  }

  return {
    of(certificate) {
      if (!certificate) return common
      const key = createHash('sha256')
        .update(certificate.certificate)
        .update('\0')
        .update(certificate.privateKey)
        .digest('base64')
      const known = certified.get(key)
      certified.delete(key)
      const agent = known ?? make(certificate)
      certified.set(key, agent)
      retireOldest()
      return agent
    },
    async destroy() {
      await Promise.all([common, ...certified.values(), ...retired].map((agent) => agent.destroy()))
    },
  }
}
