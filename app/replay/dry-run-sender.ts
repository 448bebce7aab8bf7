/** A sender that sends nothing: it writes down, a line of JSON each, what would have been sent. */

import type { Sender } from '../../ports/sender.ts'
import type { Output } from '../cli/surroundings.ts'

/** Every call is acknowledged at once; a slow reader of the output slows the replay down. */
export function dryRunSender(output: Pick<Output, 'write' | 'drained'>): Sender {
  return {
    async send({ endpointId, partnerId, body }) {
      const head = JSON.stringify({ endpoint_id: endpointId, partner_id: partnerId })
      // The payload is put in as it is: these are the bytes that a partner would have got.
      const line = `${head.slice(0, -1)},"payload":${Buffer.from(body).toString('utf8')}}\n`
      if (!output.write(line)) await output.drained()
      return { class: 'acknowledged', statusCode: 200, detail: null, durationMs: 0, retryAfterMs: null }
    },
  }
}
