/** Changes one endpoint in what is published, as whoever may see it asks. */
import type { Scope } from '../../ports/delivery-log.ts'
import type { Endpoint, PartnerConfig } from '../../schemas/index.ts'
import type { PartnerRegister } from '../pipeline/partner-register.ts'

/** Whether someone may see this partner. What is another partner's does not exist. */
export const isIn = ({ partnerId }: Scope, { partner_id }: PartnerConfig): boolean =>
  partnerId === null || partnerId === partner_id

export interface EndpointChange<Answer> {
  /** As it is to be published; the same as before where nothing is to be changed. */
  readonly endpoint: Endpoint
  readonly answer: Answer
}

/** What became of it: the partner as it is published now, and what the change answered. */
export interface Changed<Answer> {
  readonly config: PartnerConfig
  readonly endpoint: Endpoint
  readonly answer: Answer
}

/**
 * Publishes what `change` makes of the endpoint, which may be asked more than once; `undefined`: there is none. Rejects
 * when it is not certain that it was published.
 */
export async function changeEndpoint<Answer>(
  register: PartnerRegister,
  { scope, endpointId }: { readonly scope: Scope; readonly endpointId: string },
  change: (before: Endpoint) => EndpointChange<Answer>,
): Promise<Changed<Answer> | undefined> {
  const { changed } = await register.change((published) => {
    const config = published.find(
      (each) => isIn(scope, each) && each.endpoints.some(({ endpoint_id }) => endpoint_id === endpointId),
    )
    const before = config?.endpoints.find(({ endpoint_id }) => endpoint_id === endpointId)
    if (!config || !before) return { records: [], changed: undefined }
    const { endpoint, answer } = change(before)
    if (endpoint === before) return { records: [], changed: { config, endpoint, answer } }
    const endpoints = config.endpoints.map((each) => (each === before ? endpoint : each))
    const record = { ...config, version: config.version + 1, endpoints }
    return { records: [record], changed: { config: record, endpoint, answer } }
  })
  return changed
}
