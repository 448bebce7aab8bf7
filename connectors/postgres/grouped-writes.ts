/**
 * One write at a time, and what comes meanwhile goes into the next one together. Each partition's sink hands over
 * batches of its own; a database that is busy with one of them takes the others as one larger, which costs it less.
 */
import type { LogBatch } from '../../ports/delivery-log.ts'

type WriteBatch = (batch: LogBatch) => Promise<void>

/** Two full batches of LOG. Half as much again costs a tenth less; but the embedded database answers nobody meanwhile. */
const recordsMax = 4_000

interface Waiting {
  readonly batch: LogBatch
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Each call settles as the write that held its batch did. */
export function groupedWrites(write: WriteBatch): WriteBatch {
  const waiting: Waiting[] = []
  let writing = false

  async function writeOn() {
    writing = true
    while (waiting.length > 0) {
      const group = waiting.splice(0, firstGroup(waiting))
      try {
        await write(together(group.map(({ batch }) => batch)))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    writing = false
  }

  return (batch) =>
    new Promise((resolve, reject) => {
      waiting.push({ batch, resolve, reject })
      if (!writing) void writeOn()
    })
}

/** How many of them, from the first on, make one write; at least one. */
function firstGroup(waiting: readonly Waiting[]): number {
  let records = 0
  for (const [at, { batch }] of waiting.entries()) {
    records += batch.history.length + batch.verdicts.length + batch.health.length
    if (at > 0 && records > recordsMax) return at
  }
  return waiting.length
}

/** In the order in which they came. */
function together(batches: readonly LogBatch[]): LogBatch {
  const [first] = batches
  if (first && batches.length === 1) return first
  return {
    history: batches.flatMap(({ history }) => history),
    verdicts: batches.flatMap(({ verdicts }) => verdicts),
    health: batches.flatMap(({ health }) => health),
    positions: batches.flatMap(({ positions }) => positions),
  }
}
