/**
 * What is recorded of a release, for later versions to start on: twenty orders on their way through the embedded
 * pipeline, half of them not arrived yet, some deliveries refused and waiting for their retry.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import { type Clock, systemClock } from '../../engine/index.ts'
import { orderStream } from '../embedded/order-stream.ts'

/** A recorded release: `data/` as it was left, `release.backup` of it, and these. */
export interface ReleaseFacts {
  readonly version: string
  /** Pipeline time at its end. */
  readonly recordedAt: number
  /** `webhook-id` of each event that was acknowledged. */
  readonly accepted: readonly string[]
  /** Those that were refused, and the SHA-256 of what was sent: it will be sent again like that. */
  readonly refused: Readonly<Record<string, string>>
}

const orders = 20
/** The last group of ten arrives only after the upgrade. */
const heldBack = 10

/** The changes of the scene: those before the upgrade, and those behind it. */
export function sceneRecords(startMs: number): { before: CapturedRecord[]; behind: CapturedRecord[] } {
  const records = [...orderStream({ orders, startMs }).records]
  const behind = records.splice(-heldBack)
  return { before: records, behind }
}

/** Events that the changes before and behind the upgrade make. */
export const sceneEvents = { before: orders * 3 - heldBack, behind: heldBack } as const

/** Every sixth or so is refused for as long as the release runs. */
export const isRefused = (webhookId: string): boolean => Number.parseInt(webhookId.slice(0, 4), 16) % 6 === 0

export const bodyHash = (body: string): string => createHash('sha256').update(body).digest('hex')

/** Faster than the system's, so that the pause of a breaker that opened is short enough for a test. */
const clockFactor = 20

/** A clock that begins at another time. */
export function clockAt(pipelineMs: number): Clock {
  const startedAt = systemClock.now()
  return {
    now: () => pipelineMs + Math.floor((systemClock.now() - startedAt) * clockFactor),
    // Rounded up: a timer may come late, never early.
    at: (atMs, callback) =>
      systemClock.at(Math.ceil(startedAt + (atMs - pipelineMs) / clockFactor) + 1, callback),
  }
}

/** Captured records as they lie in a release's folder, a line each. */
export const readRecords = (folder: string, name: string): CapturedRecord[] =>
  readFileSync(join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as CapturedRecord)

export const readFacts = (folder: string): ReleaseFacts =>
  JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')) as ReleaseFacts
