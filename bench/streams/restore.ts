/**
 * `restore`: a store of counts by key, 16 bytes an entry and every key once, rebuilt from its changelog into an empty
 * directory. The changelog is made by counting the customers of the same size.
 */
import { performance } from 'node:perf_hooks'
import { createApplication, type Disk, type RecordLog } from '../../engine/index.ts'
import { profileInto } from './cpu-profile.ts'
import { partitions } from './input.ts'
import { untilDrained } from './run.ts'
import { makeTopology } from './topologies.ts'

export interface RestoreOptions {
  readonly log: RecordLog
  /** Another empty disk at every call. */
  readonly openDisk: () => Promise<Disk>
  /** Every key once. */
  readonly table: string
  readonly run: string
  readonly runs: number
  readonly profile: string | undefined
}

export interface Restored {
  readonly records: number
  /** From start to running. */
  readonly ms: number
  readonly cpuSeconds: number
}

/** Counts once, then restores so many times. */
export async function restoreRuns(options: RestoreOptions): Promise<Restored[]> {
  const { log, run, table } = options
  const first = await open(options)
  await first.application.start()
  await untilDrained(log, run, table)
  await first.close()
  const results: Restored[] = []
  for (let round = 0; round < options.runs; round++) {
    const { application, close } = await open(options)
    const endProfile = await profileInto(options.profile)
    const cpu = process.cpuUsage()
    const from = performance.now()
    await application.start()
    const ms = performance.now() - from
    const { user, system } = process.cpuUsage(cpu)
    await endProfile()
    results.push({ records: restoredBy(application), ms, cpuSeconds: (user + system) / 1e6 })
    await close()
  }
  return results
}

async function open({ log, openDisk, table, run }: RestoreOptions) {
  const disk = await openDisk()
  const application = createApplication({
    topology: makeTopology('count', run, { input: table, table, output: `${run}-out` }),
    ...{ log, disk, instanceId: run, defaultPartitions: partitions },
    commit: { intervalMs: 500, floorMs: 500 },
    housekeeping: { everyMs: Number.POSITIVE_INFINITY },
    report: (message, cause) => process.stderr.write(`${message} ${String(cause ?? '')}\n`),
  })
  return {
    application,
    async close() {
      await application.stop()
      await disk.close()
    },
  }
}

/** How many records were read from changelogs. */
export const restoredBy = ({ counters }: Pick<ReturnType<typeof createApplication>, 'counters'>): number =>
  [...counters.snapshot()]
    .filter(([series]) => series.startsWith('restore.records'))
    .reduce((sum, [, count]) => sum + count, 0)
