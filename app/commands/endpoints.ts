/** `waybill endpoints …`: looks at endpoints, gives them another chance, and changes what may change while they run. */
import type { Command } from 'commander'
import { endpointCommandBody } from '../../api/contract/redrives.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { addEndpointCheck } from './endpoint-check.ts'
import { addEndpointSecret } from './endpoint-secret.ts'
import { addEndpointStates } from './endpoint-states.ts'
import { addEndpointTest } from './endpoint-test.ts'
import { addEndpointWish } from './endpoint-wish.ts'
import type { Finish } from './options.ts'

const enableExamples = `
An endpoint is disabled by the system when it answers 410, or fails for days. It is tried with one delivery and gets
the others when it takes that. What it missed meanwhile is sent with: waybill deliveries redrive

Examples:
  waybill endpoints enable acme-orders
`
const probeExamples = `
While an endpoint fails, it is left alone for up to two minutes and then tried with one delivery. This tries it now.

Examples:
  waybill endpoints probe acme-orders
`

/** Adds the commands to the program. */
export function addEndpoints(program: Command, surroundings: Surroundings, finish: Finish): void {
  const endpoints = program
    .command('endpoints')
    .description('list, check, pause and test endpoints, give them another chance, replace their secrets')
  addEndpointCheck(endpoints, surroundings, finish)
  addEndpointStates(endpoints, surroundings, finish)
  addEndpointTest(endpoints, surroundings, finish)
  addEndpointSecret(endpoints, surroundings, finish)
  for (const [wish, description, examples] of [
    ['enable', 'use an endpoint again that was disabled by the system', enableExamples],
    ['probe', 'try an endpoint now that is left alone because it fails', probeExamples],
  ] as const) {
    addEndpointWish(endpoints, surroundings, finish, {
      ...{ wish, description, examples, body: endpointCommandBody },
      line: ({ endpoint_id, will }) => `${endpoint_id}  ${will}`,
    })
  }
}
