/** `waybill endpoints test`: has an example event sent to an endpoint, and shows what it made of it. */
import type { Command } from 'commander'
import { type DeliveryDetailBody, deliveryDetailBody, deliveryPageBody } from '../../api/contract/answers.ts'
import { type EndpointTestBody, endpointTestBody } from '../../api/contract/endpoint-test.ts'
import { oneLine } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { wait } from '../cli/wait.ts'
import { requestKey } from '../client/request-key.ts'
import { addClientOptions, type ClientRun, clientEnvironmentHelp, withClient } from '../client/run-client.ts'
import { outcomeText } from '../client/words.ts'
import type { ClientFlags } from '../config/client-config.ts'
import { formatMs } from '../view/cells.ts'
import type { Finish } from './options.ts'

const examples = `
The event is made up, signed and sent like any other, with waybill-trigger: test, and once: it is not retried. Its order
begins with waybill-test-. Without --event it is one that the endpoint takes, out_for_delivery first.

Examples:
  waybill endpoints test acme-orders
  waybill endpoints test acme-orders --event delivered

Exit codes: 0 the endpoint took it, 100 it did not, or not yet, 2 wrong usage, 3 nothing answers.
`

interface TestFlags extends ClientFlags {
  readonly event?: string
  readonly wait: boolean
}

/** Adds the command to `waybill endpoints`. */
export function addEndpointTest(endpoints: Command, surroundings: Surroundings, finish: Finish): void {
  const command = endpoints
    .command('test')
    .description('send an endpoint an example event, and show what it makes of it')
    .argument('<endpoint-id>', 'the endpoint')
    .option('--event <type>', 'event type, e.g. out_for_delivery')
    .option('--no-wait', 'do not wait for the outcome')
  addClientOptions(command)
  command
    .addHelpText('after', `${clientEnvironmentHelp}${examples}`)
    .action(async (id: string) =>
      finish(await testEndpoint(id, command.optsWithGlobals<TestFlags>(), surroundings)),
    )
}

function testEndpoint(id: string, flags: TestFlags, surroundings: Surroundings): Promise<ExitCode> {
  return withClient(flags, surroundings, async (run) => {
    const search = flags.event === undefined ? '' : `?${new URLSearchParams({ event: flags.event })}`
    const path = `/v1/endpoints/${encodeURIComponent(id)}/test${search}`
    const taken = await run.client.post(path, requestKey(surroundings.random), endpointTestBody)
    run.note(oneLine(`${taken.event}, payload ${taken.payload_version}, delivery ${taken.delivery_id}`))
    if (!flags.wait) {
      if (run.config.format === 'json') run.json(taken)
      return exitCode.ok
    }
    const found = await outcomeOf(taken, run, surroundings)
    if (run.config.format === 'json') run.json(found ?? taken)
    else run.lines([oneLine(`${taken.endpoint_id}  ${resultText(found)}`)])
    return found?.delivery.state === 'delivered' ? exitCode.ok : exitCode.findings
  })
}

const lookEveryMs = 500

/** Longer than any endpoint may take to answer (15 s), and the delivery log is behind (a second). */
const looksMax = 40

/** The delivery when it is settled; as it is by then if it still waits; `undefined`: nothing is known of it. */
async function outcomeOf(
  { delivery_id, order_id, endpoint_id }: EndpointTestBody,
  { client }: ClientRun,
  { clock, stop }: Surroundings,
): Promise<DeliveryDetailBody | undefined> {
  // Not by its id: of one that the log has not heard of yet, that would be an error.
  const list = `/v1/deliveries?${new URLSearchParams({ order: order_id, endpoint: endpoint_id })}`
  for (let looks = 1; ; looks++) {
    const { deliveries } = await client.get(list, deliveryPageBody)
    const found = deliveries.find((row) => row.delivery_id === delivery_id)
    const isOver = found !== undefined && found.state !== 'waiting'
    if (isOver || looks === looksMax) {
      return found && client.get(`/v1/deliveries/${encodeURIComponent(delivery_id)}`, deliveryDetailBody)
    }
    await wait(clock, clock.now() + lookEveryMs, stop)
  }
}

/** `acknowledged 200 in 42 ms`. */
function resultText(found: DeliveryDetailBody | undefined): string {
  if (!found) return 'nothing is known of it yet: look later with waybill deliveries show'
  const { delivery, attempts } = found
  const last = attempts.at(-1)
  if (!last) {
    const { state, reason, endpoint_id, delivery_id } = delivery
    if (state === 'waiting') {
      return `still waits: the endpoint is paused, or left alone because it fails; look later with waybill deliveries show ${delivery_id}`
    }
    const mend =
      reason === 'endpoint_auto_disabled' ? `; switch it on with waybill endpoints enable ${endpoint_id}` : ''
    return `${state}${reason === null ? '' : `: ${reason}`}${mend}`
  }
  const { outcome, status_code, duration_ms, detail } = last
  // What a receiver says with its thanks is of no use here.
  const told = delivery.state === 'delivered' || !detail ? '' : `: ${detail}`
  return `${outcomeText(outcome, status_code)} in ${formatMs(duration_ms)}${told}`
}
