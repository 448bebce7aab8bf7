/** What an endpoint is when nothing else was said: the defaults of its schema, for those that build one. */
import type { Endpoint } from './generated/types.ts'

/** Every setting of an endpoint that has a default; a test holds it against the schema. */
export const endpointDefaults = {
  state: 'ACTIVE',
  events: ['*'],
  timeout_ms: 10_000,
  max_concurrent: 4,
  max_age_ms: {},
  signing_keys: [],
  acknowledge_on: 'ANY_2XX',
  headers: [],
  client_certificate: null,
  rate_per_second: null,
  strict_order: false,
  auto_redrive: false,
  stated_state: null,
} as const satisfies Partial<Endpoint>
