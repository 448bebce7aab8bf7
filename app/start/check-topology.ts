/**
 * Looks, before an instance takes part, whether this version fits what is deployed: makes what is missing, and refuses
 * to start where state or records would be lost, or a partition count is another.
 */
import type { Random } from '../../engine/index.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { applyPlan } from '../topology-plan/apply.ts'
import type { Step } from '../topology-plan/plan.ts'
import { planLog } from '../topology-plan/plan-log.ts'
import type { Tier } from './open-tier.ts'

export async function checkTopology(
  { log, partitions }: Pick<Tier, 'log' | 'partitions'>,
  options: { readonly mapping: SourceMapping; readonly random: Random },
): Promise<void> {
  const steps = await planLog({
    ...options,
    log,
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
