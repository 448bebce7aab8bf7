/** Replaces signing secrets on request: finds the endpoint in what is published, and publishes it with the new one. */
import type { RotatedSecret, SecretDesk } from '../../api/options.ts'
import type { PartnerConfig, Sealer } from '../../schemas/index.ts'
import { type ReplacedSecret, replaceSecret, type SecretRefusal } from '../config/replace-secret.ts'
import type { PartnerRegister } from '../pipeline/partner-register.ts'

export interface SecretDeskOptions {
  readonly register: PartnerRegister
  readonly sealer: Pick<Sealer, 'seal' | 'open' | 'derive'>
}

type Rotation = ReplacedSecret | SecretRefusal | 'no_such_endpoint'

const refusals = {
  no_such_endpoint: 'no_such_endpoint',
  stated: 'secret_stated',
  too_many: 'too_many_secrets',
} as const

export function createSecretDesk({ register, sealer }: SecretDeskOptions): SecretDesk {
  return {
    async rotate({ scope, endpointId, commandId, overlapMs, now }): Promise<RotatedSecret> {
      const { rotation } = await register.change((published) => {
        const isOurs = ({ partner_id }: PartnerConfig) => (scope.partnerId ?? partner_id) === partner_id
        const config = published.find(
          (each) => isOurs(each) && each.endpoints.some(({ endpoint_id }) => endpoint_id === endpointId),
        )
        const before = config?.endpoints.find(({ endpoint_id }) => endpoint_id === endpointId)
        if (!config || !before) return unchanged('no_such_endpoint')
        const replaced = replaceSecret(before, { request: commandId, overlapMs }, { sealer, nowMs: now })
        if (typeof replaced === 'string' || replaced.endpoint === before) return unchanged(replaced)
        const endpoints = config.endpoints.map((each) => (each === before ? replaced.endpoint : each))
        return { records: [{ ...config, version: config.version + 1, endpoints }], rotation: replaced }
      })
      if (typeof rotation === 'string') return { refused: refusals[rotation] }
      const { forPartner, key_id, formerUntil } = rotation
      return { secret: forPartner, keyId: key_id, formerUntil }
    },
  }
}

const unchanged = (rotation: Rotation): { records: PartnerConfig[]; rotation: Rotation } => ({
  records: [],
  rotation,
})
