/**
 * A simulated order system with its dispatch database and its two change-data connectors: what comes out is what
 * Debezium would write. A pure generator driven by a clock: the same seed, start and partners give the same
 * records, however often it is asked.
 */

import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import { type Clock, seededRandom } from '../../engine/index.ts'
import { pickWeighted } from './chance.ts'
import { type BinlogPosition, changeWriter, type TableName } from './change-writer.ts'
import { type LiveOrder, liveOrder } from './live-order.ts'
import { drawStory, type LifeStep, planLife } from './order-life.ts'
import type { AssignmentRow } from './order-rows.ts'
import { createSchedule } from './schedule.ts'

/** From where the ids and the binlog go on: a restarted demo must not look like a repeat of itself. */
export interface OmsPosition {
  readonly orderId: number
  readonly assignmentId: number
  readonly binlog: BinlogPosition
}

/** Where a fresh demo starts. */
export const firstPosition: OmsPosition = {
  orderId: 1001,
  assignmentId: 5001,
  binlog: { transaction: 1, file: 1, pos: 342 },
}

export interface OmsOptions {
  readonly seed: number
  readonly clock: Clock
  /** New orders per second. */
  readonly ratePerSecond: number
  /** Whose orders they are, with how many of them each has. */
  readonly partners: readonly [PartnerShare, ...PartnerShare[]]
  readonly start?: OmsPosition
  /** How long after the start the first connector crashes, and then again each time; 0: never. */
  readonly crashEveryMs?: number
}

export type PartnerShare = readonly [partnerId: string, weight: number]

export interface SimulatedOms {
  /** The records due up to now, in order. */
  take(): CapturedRecord[]
  /** When the next one is due. */
  nextAt(): number
  /** What the dispatch database knows about an attempt now, as its API would answer. */
  lookup(orderId: string, attempt: number): AssignmentRow | undefined
  position(): OmsPosition
}

type Planned =
  | { readonly kind: 'arrival' }
  | { readonly kind: 'crash'; readonly table: TableName }
  | { readonly kind: 'step'; readonly id: string; readonly order: LiveOrder; readonly step: LifeStep }
  | { readonly kind: 'record'; readonly table: TableName; readonly record: CapturedRecord }

/** After a longer gap (a laptop that slept) everything is put off: no flood of all that was missed. */
const longestGapMs = 10_000
/** What a connector had sent and not noted when it crashed: its flush interval is a second. */
const flushWindow = { ms: 1000, records: 12 }

/** Makes the order system; it begins at the clock's time. */
export function simulatedOms(options: OmsOptions): SimulatedOms {
  const { clock, ratePerSecond, seed, start = firstPosition, crashEveryMs = 45_000 } = options
  const random = seededRandom(seed)
  const writer = changeWriter({ start: start.binlog, random: seededRandom(seed ^ 0x5eed) })
  const planned = createSchedule<Planned>()
  const live = new Map<string, LiveOrder>()
  const recent: Record<TableName, CapturedRecord[]> = { orders: [], assignments: [] }
  let { orderId, assignmentId } = start
  let index = 0
  let lastTakenAt = clock.now()

  planned.add(lastTakenAt, { kind: 'arrival' })
  if (crashEveryMs > 0) planned.add(lastTakenAt + crashEveryMs / 2, { kind: 'crash', table: 'orders' })

  const arrive = (atMs: number) => {
    const numericId = orderId++
    const id = String(numericId)
    // A chance of its own: what happens to an order does not hang on what happened to others in between.
    const own = seededRandom(seed + Math.imul(numericId, 0x9e3779b1))
    const partnerId = pickWeighted(own, options.partners)
    const story = drawStory(own, index++)
    const order = liveOrder({ id: numericId, partnerId, random: own, nextAssignmentId: () => assignmentId++ })
    live.set(id, order)
    for (const step of planLife(own, story)) {
      planned.add(atMs + step.atMs, { kind: 'step', id, order, step })
    }
    planned.add(atMs + (1000 / ratePerSecond) * (0.5 + random.next()), { kind: 'arrival' })
  }

  const perform = ({ id, order, step }: Planned & { kind: 'step' }, atMs: number) => {
    if (step.kind === 'forgotten') live.delete(id)
    const changes = order.perform(step, atMs)
    if (changes.length === 0) return
    const lagMs = step.kind === 'assigned' ? step.lagMs : 0
    for (const [at, record] of writer.commit(atMs, changes, lagMs).entries()) {
      planned.add(record.timestamp, { kind: 'record', table: changes[at]?.table ?? 'orders', record })
    }
  }

  const sent = (table: TableName, record: CapturedRecord): CapturedRecord => {
    recent[table].push(record)
    if (recent[table].length > flushWindow.records) recent[table].shift()
    return record
  }

  const crash = (table: TableName, atMs: number): CapturedRecord[] => {
    const unnoted = recent[table].filter((record) => record.timestamp > atMs - flushWindow.ms)
    planned.add(atMs + crashEveryMs, { kind: 'crash', table: table === 'orders' ? 'assignments' : 'orders' })
    // At a low rate the window may hold nothing; one repeat is sent all the same, to be seen.
    return writer.restart(table, atMs, unnoted.length > 0 ? unnoted : recent[table].slice(-1))
  }

  return {
    take() {
      const nowMs = clock.now()
      planned.delayAll(Math.max(0, nowMs - lastTakenAt - longestGapMs))
      lastTakenAt = nowMs
      const records: CapturedRecord[] = []
      while (planned.nextAt() <= nowMs) {
        const next = planned.take()
        if (!next) break
        const { item } = next
        // Fractions of a millisecond come from the rate; rows have none.
        const atMs = Math.floor(next.atMs)
        if (item.kind === 'arrival') arrive(next.atMs)
        else if (item.kind === 'step') perform(item, atMs)
        else if (item.kind === 'crash') records.push(...crash(item.table, atMs))
        else records.push(sent(item.table, item.record))
      }
      return records
    },
    nextAt: () => planned.nextAt(),
    lookup: (id, attempt) => live.get(id)?.assignment(attempt),
    position: () => ({ orderId, assignmentId, binlog: writer.position() }),
  }
}
