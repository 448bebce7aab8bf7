/**
 * What happens to a field with a `pii` tag: the one table. Sealing, masking, refusing and the lint all follow it, so
 * that a new tag is one line here and a decision.
 */
import type { Pii } from './avro-schema.ts'

/** How one tag is treated. */
export interface PiiTreatment {
  /** In topics, stores and files. */
  readonly stored: 'sealed'
  /** In previews, the API, the command line and logs. */
  readonly shown: 'masked'
  /** When a value is about to be stored that is not sealed. */
  readonly unsealed: 'refused'
  /** Who may open it: the request to the partner that it belongs to, or nothing that leaves the program. */
  readonly opened: 'for its request' | 'never'
  /** Which subjects may carry it. */
  readonly spreads: 'listed' | 'anywhere inside'
}

/** The table. */
export const piiTreatment: Readonly<Record<Pii, PiiTreatment>> = {
  secret: {
    stored: 'sealed',
    shown: 'masked',
    unsealed: 'refused',
    opened: 'for its request',
    spreads: 'listed',
  },
  personal: {
    stored: 'sealed',
    shown: 'masked',
    unsealed: 'refused',
    opened: 'never',
    spreads: 'anywhere inside',
  },
}

/** Whether a value is a tag that there is. */
export const isPii = (value: unknown): value is Pii =>
  typeof value === 'string' && Object.hasOwn(piiTreatment, value)
