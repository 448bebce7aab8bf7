/**
 * Opens the record log that is configured for a command that looks at it or works on it, without running anything: the
 * log of the data directory, which it holds meanwhile, or Kafka. Waits for nobody: who runs a command is there to be told.
 */
import type { RecordLog, Report } from '../../engine/index.ts'
import { openFolderRegistry, type Registry } from '../../schemas/index.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import type { Config } from '../config/config.ts'
import { openKafka } from './open-kafka.ts'
import { openExistingLog } from './open-log.ts'
import { openRegistryPatiently } from './open-registry.ts'

/** Opens it, passes it on, and closes it whatever happens. */
export async function withLog<T>(
  config: Config,
  surroundings: Pick<Surroundings, 'clock' | 'stderr'>,
  use: (log: RecordLog) => Promise<T>,
): Promise<T> {
  const { clock } = surroundings
  const log = config.kafka
    ? openKafka(config.kafka, { clock, report: reporter(surroundings) })
    : await openExistingLog(config.dataDirectory, clock)
  try {
    return await use(log)
  } finally {
    await log.close()
  }
}

/** The registry by which what lies in the log is read. */
export async function withRegistry<T>(
  config: Config,
  surroundings: Pick<Surroundings, 'clock' | 'stderr' | 'stop'>,
  use: (registry: Registry) => Promise<T>,
): Promise<T> {
  if (!config.registry) return use(openFolderRegistry())
  const closers: (() => Promise<void>)[] = []
  const { clock, stop } = surroundings
  try {
    const waiting = { config, clock, report: reporter(surroundings), signal: stop, closers }
    return await use(await openRegistryPatiently(waiting, config.registry))
  } finally {
    for (const close of closers) await close()
  }
}

const reporter =
  ({ stderr }: Pick<Surroundings, 'stderr'>): Report =>
  (message) =>
    void stderr.write(`waybill: ${message}\n`)
