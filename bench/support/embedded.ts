/** The pipeline as `waybill start` runs it, on a throw-away directory: synced commits, LevelDB state, real HTTP. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endpointDefaults, type PartnerSettings } from '../../app/config/partner-settings.ts'
import { roles } from '../../app/config/roles.ts'
import { openPipeline, type RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import { type Services, startServices } from '../../app/serve/services.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import { levelDisks, openEmbeddedLog, systemClock, systemRandom } from '../../engine/index.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { parseSourceMapping } from '../../processors/normalize/source-mapping.ts'
import { makeSealer } from '../../schemas/index.ts'

/** Partners with one endpoint each. */
export const partnerIds: readonly string[] = Array.from({ length: 20 }, (_, index) => `partner-${index}`)

/** Of one endpoint; 20 × 16 is more than the 128 calls that an instance makes at once. */
const maxConcurrent = 16

/** How long the delivery log keeps events: longer than any run. */
const keepMs = 24 * 3600 * 1000

/**
 * Opens it, with `all` also the delivery log and the API beside it; `stop` closes everything and removes the
 * directory.
 */
export async function openEmbedded(url: string, { all }: { all: boolean }): Promise<RunningPipeline> {
  const directory = await mkdtemp(join(tmpdir(), 'waybill-bench-'))
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
  const sender = createHttpSender({ clock: systemClock, egress: loopbackEgress })
  const parsed = parseSourceMapping(defaultSource)
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  const pipeline = await openPipeline({
    log,
    disk: await levelDisks().open(join(directory, 'state')),
    instanceId: 'bench',
    sealer: makeSealer({
      keys: [{ id: 'k1', key: systemRandom.bytes(32) }],
      active: 'k1',
      random: systemRandom,
    }),
    mapping: parsed.mapping,
    sender,
    dispatch: noDispatch,
    pipelineClock: systemClock,
    realClock: systemClock,
    random: systemRandom,
    version: 'bench',
    report,
  })
  const services = all ? await serve(pipeline, directory) : undefined
  await pipeline.publishPartners(partnerIds.map((id) => settingsOf(id, url)))
  await pipeline.application.settled()
  return {
    ...pipeline,
    async stop() {
      await services?.stop()
      await pipeline.stop()
      await log.close()
      await sender.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function report(message: string, cause?: unknown) {
  process.stderr.write(`${message} ${String(cause ?? '')}\n`)
}

/** Resolves when the API listens and the delivery log is open. */
async function serve(pipeline: RunningPipeline, directory: string): Promise<Services> {
  const services = startServices({
    pipeline,
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
  return services
}

const settingsOf = (id: string, url: string): PartnerSettings => ({
  id,
  name: id,
  endpoints: [
    {
      ...endpointDefaults,
      id: `${id}-1`,
      url,
      version: 'v2',
      secrets: [`whsec_${Buffer.from(systemRandom.bytes(24)).toString('base64')}`],
      maxConcurrent,
      maxAgeMs: {},
    },
  ],
})
