/** One step of a redrive of many: looks at the next of what can be redriven, and sends again what matches. */
import type { RedriveJob } from '../../schemas/index.ts'
import type { EndpointBook } from './endpoint-book.ts'
import type { Held, Ledger } from './ledger.ts'
import type { Memory } from './memory.ts'
import type { RedriveVerdict } from './redrive-filter.ts'
import type { DeliverRules } from './rules.ts'
import { isLate } from './serve-queue.ts'

/** Looks at so many deliveries in one step: some 3 ms of work. */
const lookedAtPerStep = 250

export interface WalkParts {
  readonly book: EndpointBook
  readonly ledger: Ledger
  readonly memory: Memory
  readonly rules: Pick<DeliverRules, 'matchRedrive'>
}

export interface Walk {
  readonly job: RedriveJob
  readonly sent: number
  readonly isOver: boolean
}

/** Looks at the next entries, and sends again what matches. */
export function walkOn(
  parts: WalkParts,
  id: string,
  job: RedriveJob,
  { sendMax, now }: { readonly sendMax: number; readonly now: number },
): Walk {
  const { memory } = parts
  const counts = { redrive: 0, too_old: 0, out_of_order: 0, other: 0 }
  const most = Math.min(sendMax, (job.limit ?? Number.POSITIVE_INFINITY) - job.redriven)
  // What has expired since is gone from the front.
  const from = Math.max(job.cursor, memory.redrivable.ends().head)
  let cursor = from
  const until = Math.min(job.until_entry, from + lookedAtPerStep)
  while (cursor < until && counts.redrive < most) {
    counts[lookAt(parts, id, job, cursor, now)]++
    cursor++
  }
  const redriven = job.redriven + counts.redrive
  return {
    sent: counts.redrive,
    isOver: cursor >= job.until_entry || (job.limit !== null && redriven >= job.limit),
    job: {
      ...job,
      cursor,
      looked_at: job.looked_at + cursor - job.cursor,
      redriven,
      left_too_old: job.left_too_old + counts.too_old,
      left_out_of_order: job.left_out_of_order + counts.out_of_order,
    },
  }
}

function lookAt(parts: WalkParts, id: string, job: RedriveJob, entry: number, now: number): RedriveVerdict {
  const { book, ledger, memory, rules } = parts
  const found = memory.redrivable.at(entry)
  const status = found && ledger.statusOf(found.id)
  // Redriven since it was entered, and perhaps settled anew: then a later entry speaks of it.
  if (!status || status.since !== found.at || status.endpoint_id !== job.endpoint_id) return 'other'
  const held = ledger.find(found.id)
  if (!held) return 'other'
  const standing = book.standing(job.endpoint_id)
  const settings = 'endpoint' in standing ? standing.endpoint : undefined
  const late = isLate(parts, status, { strict_order: book.isStrict(job.endpoint_id) })
  const maxAges = settings?.max_age_ms
  const verdict = rules.matchRedrive({ job, status, body: held.body, isLate: late, maxAges, now })
  if (verdict === 'redrive') {
    sendAgain(ledger, held, {
      byHand: !job.automatic && !job.within_max_age,
      automatic: job.automatic,
      redriveId: id,
      outOfOrder: late,
    })
  }
  return verdict
}

export interface SendAgain {
  /** A person wants it whatever its age. */
  readonly byHand: boolean
  readonly automatic: boolean
  readonly redriveId: string | null
  readonly outOfOrder: boolean
}

/** Begins a new round of a dead or skipped delivery: the same bytes, the same webhook-id, all its retries. */
export function sendAgain(ledger: Ledger, held: Held, again: SendAgain): void {
  const { status } = held
  ledger.move(
    held,
    'redrive',
    {
      trigger: 'REDRIVE',
      requests: 0,
      own_faults: 0,
      reason: null,
      generation: status.generation + 1,
      by_hand: again.byHand,
      out_of_order: again.outOfOrder,
      auto_redrives: status.auto_redrives + (again.automatic ? 1 : 0),
      redrive_id: again.redriveId,
    },
    { change: 'REDRIVEN' },
  )
}
