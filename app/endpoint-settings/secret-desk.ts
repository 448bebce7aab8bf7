/** Replaces signing secrets on request: publishes the endpoint with a new one. */
import type { RotatedSecret, SecretDesk } from '../../api/options.ts'
import type { Sealer } from '../../schemas/index.ts'
import { replaceSecret } from '../config/replace-secret.ts'
import type { PartnerRegister } from '../pipeline/partner-register.ts'
import { changeEndpoint } from './change-endpoint.ts'

export interface SecretDeskOptions {
  readonly register: PartnerRegister
  readonly sealer: Pick<Sealer, 'seal' | 'open' | 'derive'>
}

const refusals = { stated: 'secret_stated', too_many: 'too_many_secrets' } as const

export function createSecretDesk({ register, sealer }: SecretDeskOptions): SecretDesk {
  return {
    async rotate({ commandId, overlapMs, now, ...which }): Promise<RotatedSecret> {
      const changed = await changeEndpoint(register, which, (before) => {
        const answer = replaceSecret(before, { request: commandId, overlapMs }, { sealer, nowMs: now })
        return { endpoint: typeof answer === 'string' ? before : answer.endpoint, answer }
      })
      if (!changed) return { refused: 'no_such_endpoint' }
      if (typeof changed.answer === 'string') return { refused: refusals[changed.answer] }
      const { forPartner, key_id, formerUntil } = changed.answer
      return { secret: forPartner, keyId: key_id, formerUntil }
    },
  }
}
