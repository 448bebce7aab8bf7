/** Puts the demo together: the order system, its dispatch, and, without partners of the user's own, the receivers. */
import { type Clock, seededRandom } from '../../engine/index.ts'
import type { DispatchLookup } from '../../ports/dispatch.ts'
import type { Config } from '../config/config.ts'
import type { PartnerSettings } from '../config/partner-settings.ts'
import type { RunningPipeline } from '../pipeline/open-pipeline.ts'
import { demoEndpoints, demoPartnerSettings, demoSecret, demoShares } from './demo-partners.ts'
import { openDemoState } from './demo-state.ts'
import { type Receivers, startReceivers } from './receivers.ts'
import { runDemo } from './run-demo.ts'
import { simulatedDispatch } from './simulated-dispatch.ts'
import { type PartnerShare, simulatedOms } from './simulated-oms.ts'

export interface Demo {
  readonly partners: readonly PartnerSettings[] | undefined
  readonly receivers: Receivers | undefined
  readonly dispatch: DispatchLookup
  run(pipeline: Pick<RunningPipeline, 'ingest'>, signal: AbortSignal): Promise<void>
}

export interface DemoOptions {
  readonly config: Pick<Config, 'dataDirectory' | 'seed' | 'ratePerSecond'>
  readonly clock: Clock
  /** With partners of the user's own, the demo's orders are theirs, and so are the receivers. */
  readonly partners: readonly PartnerSettings[] | undefined
}

export async function openDemo({ config, clock, partners }: DemoOptions): Promise<Demo> {
  const state = openDemoState(config.dataDirectory)
  const oms = simulatedOms({
    // Another seed each run: the same names and numbers again would look like a mistake.
    seed: (config.seed + Math.imul(state.run - 1, 0x2545f491)) >>> 0,
    clock,
    ratePerSecond: config.ratePerSecond,
    partners: sharesOf(partners),
    start: state.start,
  })
  const receivers = partners
    ? undefined
    : await startReceivers({
        endpoints: demoEndpoints.map(({ id, behaviour }) => ({ id, behaviour, secret: demoSecret(id) })),
        clock,
        random: seededRandom(config.seed),
      })
  return {
    partners: receivers && demoPartnerSettings(receivers.url),
    receivers,
    dispatch: simulatedDispatch(oms),
    run: (pipeline, signal) => runDemo({ oms, state, clock, ingest: pipeline.ingest.append, signal }),
  }
}

function sharesOf(
  partners: readonly PartnerSettings[] | undefined,
): readonly [PartnerShare, ...PartnerShare[]] {
  const [first, ...others] = partners ?? []
  if (!first) return demoShares
  return [[first.id, 1], ...others.map(({ id }): PartnerShare => [id, 1])]
}
