/** Keeps the simulated order system going: hands on what is due, as fast as it is taken, until told to stop. */

import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import type { Clock } from '../../engine/index.ts'
import { wait } from '../cli/wait.ts'
import type { DemoState } from './demo-state.ts'
import type { SimulatedOms } from './simulated-oms.ts'

export interface DemoRunOptions {
  readonly oms: SimulatedOms
  readonly state: Pick<DemoState, 'reached' | 'close'>
  readonly clock: Clock
  /** Durable when it resolves. */
  ingest(records: readonly CapturedRecord[]): Promise<void>
  readonly signal: AbortSignal
}

/** Records are gathered for this long: one append for many, and nobody notices a hundredth of a second. */
const gatherMs = 10

/** Resolves when `signal` is aborted and the last append has been made; rejects when an append fails. */
export async function runDemo({ oms, state, clock, ingest, signal }: DemoRunOptions): Promise<void> {
  while (!signal.aborted) {
    const records = oms.take()
    state.reached(oms.position())
    if (records.length > 0) await ingest(records)
    await wait(clock, Math.max(oms.nextAt(), clock.now() + gatherMs), signal)
  }
  state.close(oms.position())
}
