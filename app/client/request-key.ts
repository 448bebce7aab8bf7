/** Names a request to the API, so that a repeat on the way is done once. */
import type { Random } from '../../engine/index.ts'

/** A key that no other request has. */
export const requestKey = (random: Random): string => `cli-${Buffer.from(random.bytes(16)).toString('hex')}`
