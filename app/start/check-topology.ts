/**
 * Looks, before an instance takes part, whether this version fits what is deployed: makes what is missing, and refuses
 * to start where state or records would be lost, or a partition count is another. Waits for brokers that are there
 * but cannot say yet: after a start of theirs, partitions have no leader until their logs are recovered, which takes
 * longer the more there is to recover.
 */
import { type Clock, LogError, type Random, type Report } from '../../engine/index.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { wait } from '../cli/wait.ts'
import { applyPlan } from '../topology-plan/apply.ts'
import type { Step } from '../topology-plan/plan.ts'
import { planLog } from '../topology-plan/plan-log.ts'
import type { Tier } from './open-tier.ts'

/** The log has asked for a while by itself before it gives up. */
const pauseMs = 2_000

export interface CheckOptions {
  readonly mapping: SourceMapping
  readonly random: Random
  readonly clock: Clock
  readonly report: Report
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

export async function checkTopology(
  tier: Pick<Tier, 'log' | 'partitions'>,
  options: CheckOptions,
): Promise<void> {
  const { clock, report, signal } = options
  for (let times = 1; ; times++) {
    try {
      return await check(tier, options)
    } catch (error) {
      if (!(error instanceof LogError && error.kind === 'retriable') || signal.aborted) throw error
      if (times === 1) report('Kafka cannot say yet what is in it; it is asked again until it can', error)
    }
    await wait(clock, clock.now() + pauseMs, signal)
    signal.throwIfAborted()
  }
}

async function check(
  { log, partitions }: Pick<Tier, 'log' | 'partitions'>,
  { mapping, random }: CheckOptions,
): Promise<void> {
  const steps = await planLog({
    ...{ mapping, random, log },
    endpointPartitions: partitions.endpoints,
    usualPartitions: partitions.usual,
  })
  // Settings that differ may be somebody's intention: only `topology apply` changes those.
  const withoutSettings = steps.filter(({ kind }) => kind !== 'configure')
  const applied = await applyPlan(withoutSettings, { admin: log.admin, accepted: [] })
  if (applied.kind === 'done') return
  throw new CliError(exitCode.usage, {
    what: `this version does not fit the topics that are deployed: ${applied.because.map(stepName).join(', ')}`,
    mend: '`waybill topology plan` says what would happen, and what to do about it; nothing was changed',
  })
}

function stepName(step: Step): string {
  const name = 'name' in step ? step.name : step.topic.name
  switch (step.kind) {
    case 'refuse':
      return `${name} ${step.what}`
    case 'lose_state':
      return `the state in ${name} would start empty`
    case 'lose_input':
      return `what is unread in ${name} would be lost`
    case 'reset':
      return `the place in ${name} is gone`
    case 'create':
    case 'configure':
    case 'left_over':
      return name
  }
}
