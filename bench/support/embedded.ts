/** The pipeline as `waybill start` runs it, on a throw-away directory: synced commits, LevelDB state, real HTTP. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endpointDefaults, type PartnerSettings } from '../../app/config/partner-settings.ts'
import { openPipeline, type RunningPipeline } from '../../app/pipeline/open-pipeline.ts'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import { levelDisks, openEmbeddedLog, systemClock, systemRandom } from '../../engine/index.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { parseSourceMapping } from '../../processors/normalize/source-mapping.ts'
import { makeSealer } from '../../schemas/index.ts'
import { report, serve } from './serve.ts'

/** Partners with one endpoint each. */
export const partnerIds: readonly string[] = Array.from({ length: 20 }, (_, index) => `partner-${index}`)

/** Of one endpoint; 20 × 16 is more than the 128 calls that an instance makes at once. */
const maxConcurrent = 16

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
