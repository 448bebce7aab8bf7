/** Opens the schema registry at a start: waits for one that does not answer, and says so once a minute. */
import { join } from 'node:path'
import { type OpenRegistry, openRegistry } from '../../connectors/registry/open-registry.ts'
import type { RegistryAddress } from '../../connectors/registry/registry-address.ts'
import { RegistryError } from '../../connectors/registry/registry-error.ts'
import type { Clock, Report } from '../../engine/index.ts'
import { readLevelPolicy, readSchemaFolder, shippedSchemaFolder } from '../../schemas/index.ts'
import { wait } from '../cli/wait.ts'

const pauseMs = 2_000
const reportEveryMs = 60_000

export interface RegistryWait {
  readonly config: { readonly dataDirectory: string }
  readonly clock: Clock
  readonly report: Report
  /** Ends the waiting, with its reason. */
  readonly signal: AbortSignal
  /** Takes what has to be closed later. */
  readonly closers: (() => Promise<void>)[]
}

/** Rejects with a `RegistryError` for what waiting does not mend. */
export async function openRegistryPatiently(
  { config, clock, report, signal, closers }: RegistryWait,
  address: RegistryAddress,
): Promise<OpenRegistry> {
  const own = readSchemaFolder(shippedSchemaFolder)
  const policy = readLevelPolicy(shippedSchemaFolder)
  const levels = Object.fromEntries(own.map(({ subject }) => [subject, policy.levelOf(subject)]))
  const idFile = join(config.dataDirectory, 'schema-ids.json')
  let reportedAt = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      const registry = await openRegistry({ address, own, levels, clock, report, idFile })
      closers.push(() => registry.close())
      return registry
    } catch (error) {
      if (!(error instanceof RegistryError) || error.kind !== 'unreachable') throw error
      if (clock.now() - reportedAt >= reportEveryMs) {
        reportedAt = clock.now()
        report(`${error.message}. It is tried again until it answers`)
      }
    }
    await wait(clock, clock.now() + pauseMs, signal)
    signal.throwIfAborted()
  }
}
