/**
 * A replay: captured records through the whole pipeline on a throw-away log, in the records' own time, until
 * everything is settled. Nothing of it stays behind.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import {
  type ManualClock,
  manualClock,
  memoryDisks,
  openEmbeddedLog,
  systemClock,
  systemRandom,
} from '../../engine/index.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import type { Sender } from '../../ports/sender.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { makeSealer } from '../../schemas/index.ts'
import type { PartnerSettings } from '../config/partner-settings.ts'
import type { MadeSecret } from '../config/signing-rotation.ts'
import { openPipeline, type RunningPipeline } from '../pipeline/open-pipeline.ts'
import { driveReplay } from './drive-replay.ts'
import { partnerFinder } from './pseudo-partners.ts'

export interface ReplayOptions {
  readonly records: AsyncIterable<readonly CapturedRecord[]>
  readonly mapping: SourceMapping
  /** `undefined`: one pseudo-endpoint per partner takes everything at v2. */
  readonly partners: readonly PartnerSettings[] | undefined
  /** Sends, or only notes what would be sent; gets the pipeline's clock. */
  readonly sender: (clock: ManualClock) => Sender
  /** Called whenever everything is settled, before time moves on. */
  readonly onSettled?: () => void
  /** Told of each signing secret that was made for this replay. */
  readonly onSecretMade?: (made: MadeSecret) => void
  readonly report: (message: string, cause?: unknown) => void
  readonly version: string
  readonly signal: AbortSignal
}

export interface ReplayOutcome {
  /** Records taken from the files. */
  readonly records: number
  /** Records of topics that no mapping names. */
  readonly ignored: number
  /** The pipeline's counters at the end. */
  readonly counters: ReadonlyMap<string, number>
}

/** A replay asks no dispatch: riders come from the captured rows, and a hold without one runs into its time-out. */
const longerThanAnyHoldMs = 24 * 3600 * 1000

/** Time before the first record: the pipeline starts there, and the first record moves it on. */
const beginningMs = 0

export async function runReplay(options: ReplayOptions): Promise<ReplayOutcome> {
  const directory = await mkdtemp(join(tmpdir(), 'waybill-replay-'))
  const clock = manualClock(beginningMs)
  const log = await openEmbeddedLog({ directory, clock, durability: 'process' })
  try {
    const pipeline = await openPipeline({
      log,
      disk: await memoryDisks().open('replay'),
      instanceId: 'replay',
      sealer: throwAwaySealer(),
      mapping: options.mapping,
      sender: options.sender(clock),
      dispatch: noDispatch,
      pipelineClock: clock,
      realClock: systemClock,
      random: systemRandom,
      version: options.version,
      report: options.report,
      timeFrom: 'records',
      commit: { floorMs: 0, intervalMs: Number.POSITIVE_INFINITY },
      enrichTiming: { lookupAfterMs: longerThanAnyHoldMs },
      watched: false,
    })
    try {
      const records = await drive(pipeline, clock, options)
      const counters = pipeline.application.counters.snapshot()
      return { records, ignored: pipeline.ingest.counts().ignored, counters }
    } finally {
      // A pipeline whose log is gone asks for it again and again.
      await pipeline.stop()
    }
  } finally {
    await log.close()
    await rm(directory, { recursive: true, force: true })
  }
}

async function drive(pipeline: RunningPipeline, clock: ManualClock, options: ReplayOptions) {
  const finder = options.partners ? undefined : partnerFinder(options.mapping)
  const made = options.partners ? await pipeline.publishPartners(options.partners) : []
  for (const secret of made) options.onSecretMade?.(secret)
  return driveReplay({
    pipeline: {
      append: (records) => pipeline.ingest.append(records),
      settled: () => pipeline.application.settled(),
      nextDue: () => pipeline.application.nextDue(),
    },
    clock,
    records: options.records,
    signal: options.signal,
    ...(options.onSettled && { onSettled: options.onSettled }),
    async beforeAppend(records) {
      if (!finder?.add(records)) return
      await pipeline.publishPartners(finder.settings())
      await pipeline.application.settled()
    },
  })
}

/** The key lives as long as the throw-away log. */
const throwAwaySealer = () =>
  makeSealer({
    keys: [{ id: 'replay', key: systemRandom.bytes(32) }],
    active: 'replay',
    random: systemRandom,
  })
