/** The delivery log and the API beside a benchmark's pipeline, as the product serves them. */
import { join } from 'node:path'
import { roles } from '../../app/config/roles.ts'
import type { RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import { tapHistory } from '../../app/serve/history-tap.ts'
import { type Services, startServices } from '../../app/serve/services.ts'
import { systemClock, systemRandom } from '../../engine/index.ts'

/** How long the delivery log keeps events: longer than any run. */
const keepMs = 24 * 3600 * 1000

/** What goes wrong beside a measurement, to be seen with it. */
export function report(message: string, cause?: unknown) {
  process.stderr.write(`${message} ${String(cause ?? '')}\n`)
}

/** Resolves when the API listens and the delivery log is open. */
export async function serve(pipeline: RunningPipeline, directory: string): Promise<Services> {
  const stopping = new AbortController()
  const patience = { clock: systemClock, report }
  const history = tapHistory({ ...pipeline, signal: stopping.signal, patience })
  const services = startServices({
    ...{ pipeline, history },
    instanceId: 'embedded',
    roles,
    trouble: () => undefined,
    place: { directory: join(directory, 'delivery-log') },
    keepMs,
    auth: 'none',
    host: '127.0.0.1',
    port: 0,
    waiting: () => ({}),
    ingestCounters: () => new Map(),
    clock: systemClock,
    random: systemRandom,
    version: 'bench',
    report,
  })
  const isReady = async () => {
    const url = services.url()
    if (url === undefined) return false
    const { degraded } = (await (await fetch(`${url}/readyz`)).json()) as { degraded: unknown[] }
    return degraded.length === 0
  }
  while (!(await isReady())) {
    await new Promise<void>((resolve) => systemClock.at(systemClock.now() + 50, resolve))
  }
  return {
    ...services,
    async stop() {
      stopping.abort()
      await services.stop()
      await history.following
    },
  }
}
