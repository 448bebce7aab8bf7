/**
 * Redrives of many: each walks once over the deliveries that are dead or skipped when it begins (the queue of what can
 * be redriven, which is stored in order), sends again what matches, at its pace, and counts what becomes of it. Where
 * it is, is stored: it goes on where the task opens next.
 */
import type { DeliveryCommand, RedriveFilter, RedriveJob, RedrivePhase } from '../../schemas/index.ts'
import type { Alarm } from './alarm.ts'
import type { Held } from './ledger.ts'
import { type WalkParts, walkOn } from './redrive-walk.ts'
import type { QueueServer } from './serve-queue.ts'
import { type DeliverContext, deliverCounters } from './shape.ts'

export interface Redrives {
  begin(redriveId: string, order: RedriveOrder): void
  /** `false` when it does not look for more anyway. */
  stop(redriveId: string, endpointId: string): boolean
  /** Whether a redrive of this endpoint goes on. */
  isRunning(endpointId: string): boolean
  /** A delivery came to an end. */
  ended(held: Held, at: 'delivered' | 'dead' | 'skipped'): void
  /** Goes on with all that are due. */
  run(now: number): void
  next(): number | undefined
  /** Reports what changed. */
  report(): void
  /** Its time is over. */
  forget(redriveId: string): void
  load(redriveId: string, job: RedriveJob): void
}

/** What a redrive is to do. */
export interface RedriveOrder {
  readonly endpointId: string
  readonly automatic: boolean
  readonly requestedBy: string
  readonly requestedAt: number
  /** Null: all that the endpoint missed. */
  readonly filter: RedriveFilter | null
  readonly perSecond: number | null
  readonly withinMaxAge: boolean
  readonly confirmOutOfOrder: boolean
  readonly limit?: number
}

/** The order that a command gives. */
export const orderOf = (command: DeliveryCommand): RedriveOrder => ({
  endpointId: command.endpoint_id,
  automatic: false,
  requestedBy: command.requested_by,
  requestedAt: command.requested_at,
  filter: command.filter,
  perSecond: command.per_second,
  withinMaxAge: command.within_max_age,
  confirmOutOfOrder: command.confirm_out_of_order,
})

/** Some dozens a second disturb nobody, and bring back an hour of a busy endpoint in minutes. */
export const defaultPerSecond = 50

/** From one step of a redrive to its next. */
const stepEveryMs = 25

/** What may be sent at once after a pause: a step that comes late must not become a burst. */
const burstMs = 200
/** But always more than one: of exactly one, what is rounded away leaves none, and the redrive would stand still. */
const burstMin = 1.5

export interface RedriveParts extends WalkParts {
  readonly context: DeliverContext
  readonly server: Pick<QueueServer, 'serve'>
  readonly alarm: Alarm
}

/** The redrives of one task. */
export function makeRedrives(parts: RedriveParts): Redrives {
  const { context, book, memory, server, alarm } = parts
  const jobs = new Map<string, RedriveJob>()
  /** Those that look for more, with the time from which on what they may send counts. */
  const searching = new Map<string, { paidUntil: number; nextAt: number }>()
  const changed = new Set<string>()

  const put = (id: string, job: RedriveJob): void => {
    jobs.set(id, job)
    context.stores.redrives.put(id, job)
    changed.add(id)
  }

  const search = (id: string): void => {
    searching.set(id, { paidUntil: context.now(), nextAt: context.now() })
    alarm.at(context.now())
  }

  const end = (id: string, job: RedriveJob, phase: RedrivePhase): void => {
    put(id, { ...job, phase, ended_at: context.now() })
    memory.keepRedrive(id, context.now())
  }

  /** A step of one redrive. */
  const step = (id: string, job: RedriveJob, now: number): void => {
    const pace = searching.get(id)
    if (!pace) return
    const intervalMs = 1000 / job.per_second
    pace.paidUntil = Math.max(pace.paidUntil, now - Math.max(burstMs, burstMin * intervalMs))
    const sendMax = Math.floor((now - pace.paidUntil) / intervalMs)
    const walk = walkOn(parts, id, job, { sendMax, now })
    pace.paidUntil += walk.sent * intervalMs
    // Who has sent all that he may sleeps until he may again; else there is more to look at.
    const mayAgainAt = walk.sent === sendMax ? Math.ceil(pace.paidUntil + intervalMs) : now
    pace.nextAt = Math.max(now + stepEveryMs, mayAgainAt)
    if (walk.isOver) searching.delete(id)
    // Serving may settle what was just sent: then `jobs` holds the newer counts, and these must be in it before.
    put(id, { ...walk.job, phase: walk.isOver ? 'SENDING' : 'SEARCHING' })
    if (walk.sent > 0) server.serve(job.endpoint_id)
    finishIfDone(id)
  }

  const finishIfDone = (id: string): void => {
    const job = jobs.get(id)
    if (job?.phase === 'SENDING' && job.delivered + job.dead + job.skipped >= job.redriven) {
      end(id, job, 'FINISHED')
    }
  }

  const emit = (id: string, job: RedriveJob): void => {
    const { cursor: _, until_entry: __, limit: ___, ...progress } = job
    context.emit.redrives(id, { redrive_id: id, ...progress, at: context.now() })
  }

  return {
    begin(id, order) {
      const { head, tail } = memory.redrivable.ends()
      put(id, {
        endpoint_id: order.endpointId,
        partner_id: book.find(order.endpointId)?.partner_id ?? '',
        phase: 'SEARCHING',
        automatic: order.automatic,
        requested_by: order.requestedBy,
        requested_at: order.requestedAt,
        ended_at: null,
        filter: order.filter,
        per_second: Math.max(minPerSecond, order.perSecond ?? defaultPerSecond),
        within_max_age: order.withinMaxAge,
        confirm_out_of_order: order.confirmOutOfOrder,
        to_look_at: tail - head,
        looked_at: 0,
        redriven: 0,
        delivered: 0,
        dead: 0,
        skipped: 0,
        left_too_old: 0,
        left_out_of_order: 0,
        cursor: head,
        until_entry: tail,
        limit: order.limit ?? null,
      })
      context.count(deliverCounters.redrives, { automatic: String(order.automatic) })
      search(id)
    },
    stop(id, endpointId) {
      const job = jobs.get(id)
      if (job?.phase !== 'SEARCHING' || job.endpoint_id !== endpointId) return false
      searching.delete(id)
      end(id, job, 'STOPPED')
      return true
    },
    isRunning: (endpointId) =>
      [...jobs.values()].some((job) => job.endpoint_id === endpointId && job.ended_at === null),
    ended({ status: { redrive_id: id } }, at) {
      const job = id === null ? undefined : jobs.get(id)
      if (id === null || !job) return
      put(id, { ...job, [at]: job[at] + 1 })
      finishIfDone(id)
    },
    run(now) {
      for (const [id, { nextAt }] of [...searching]) {
        const job = jobs.get(id)
        if (job && nextAt <= now) step(id, job, now)
      }
    },
    next() {
      if (searching.size === 0) return undefined
      const times = [...searching.values()].map(({ nextAt }) => nextAt)
      return Math.min(...times)
    },
    report() {
      for (const id of changed) {
        const job = jobs.get(id)
        if (job) emit(id, job)
      }
      changed.clear()
    },
    forget(id) {
      const known = jobs.delete(id)
      changed.delete(id)
      context.stores.redrives.delete(id)
      if (known) context.emit.redrives(id, null)
    },
    load(id, job) {
      jobs.set(id, job)
      // What was reported last is not known.
      changed.add(id)
      if (job.phase === 'SEARCHING') search(id)
    },
  }
}

/** Slower would look like standing still. */
const minPerSecond = 0.1
