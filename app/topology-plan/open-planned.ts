/** Opens the log that is configured, to plan for it. Waits for no broker: who plans is there to be told. */
import type { Clock, Random, RecordLog } from '../../engine/index.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import type { Config } from '../config/config.ts'
import { openKafka } from '../start/open-kafka.ts'
import { openExistingLog } from '../start/open-log.ts'
import type { Step } from './plan.ts'
import { planLog } from './plan-log.ts'

export interface Planned {
  readonly log: RecordLog
  readonly steps: readonly Step[]
  close(): Promise<void>
}

export interface OpenPlannedOptions {
  readonly config: Config
  readonly mapping: SourceMapping
  readonly clock: Clock
  readonly random: Random
  readonly stderr: { write(text: string): unknown }
}

export async function openPlanned(options: OpenPlannedOptions): Promise<Planned> {
  const { config, mapping, clock, random, stderr } = options
  const { kafka } = config
  if (!kafka) {
    const log = await openExistingLog(config.dataDirectory, clock)
    return plannedFor(log, () =>
      planLog({ log, mapping, random, endpointPartitions: undefined, usualPartitions: undefined }),
    )
  }
  const log = openKafka(kafka, { clock, report: (message) => stderr.write(`waybill: ${message}\n`) })
  return plannedFor(log, () =>
    planLog({
      log,
      mapping,
      random,
      listGroups: async () => (await log.admin.listGroups()).map(({ groupId }) => groupId),
      endpointPartitions: kafka.endpointPartitions,
      usualPartitions: kafka.partitions,
    }),
  )
}

async function plannedFor(log: RecordLog, plan: () => Promise<readonly Step[]>): Promise<Planned> {
  try {
    return { log, steps: await plan(), close: () => log.close() }
  } catch (error) {
    await log.close()
    throw error
  }
}
