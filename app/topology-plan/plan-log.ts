/** Plans for a log that is open: looks at it, compares, and changes nothing. */
import type { RecordLog } from '../../engine/index.ts'
import { type DeployedSources, readDeployed } from './deployed.ts'
import { planTopology, type Step } from './plan.ts'
import { type WantedPipelineOptions, wantedPipeline } from './wanted-pipeline.ts'

/** What every log makes of topics that name no count. */
const ownPartitions = 4

export interface PlanLogOptions extends WantedPipelineOptions {
  readonly log: RecordLog
  readonly listGroups?: DeployedSources['listGroups']
  /** Partitions of the other topics; `undefined`: the log's default. */
  readonly usualPartitions: number | undefined
}

export async function planLog(options: PlanLogOptions): Promise<readonly Step[]> {
  const { log, listGroups, usualPartitions = ownPartitions } = options
  const wanted = wantedPipeline(options)
  const sources = { admin: log.admin, ...(listGroups && { listGroups }) }
  return planTopology(wanted, await readDeployed(sources, wanted), { defaultPartitions: usualPartitions })
}
