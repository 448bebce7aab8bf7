/** Names the delivery of one event to one endpoint; the same pair always gets the same name. */
import { v5 } from 'uuid'

/** Fixed for ever: another namespace would make every pair new, and so send everything in the log once more. */
const deliveryNamespace = '6d0a3c1e-7c1b-5f0e-9b1d-2f6a5c0b8e47'

/** UUIDv5 of (event_id, endpoint_id). The separator occurs in no id of ours, so that no two pairs run together. */
export const deliveryId = (eventId: string, endpointId: string): string =>
  v5(`${eventId}\n${endpointId}`, deliveryNamespace)
