/**
 * Sends again by itself what an endpoint missed, where its settings ask for it: all of it, once the endpoint answers
 * again, as far as it is not too old. An endpoint that is down and gets nothing new would never be tried; so one of
 * the deliveries that it missed is sent as a probe now and then.
 */
import { v5 } from 'uuid'
import type { EndpointBook } from './endpoint-book.ts'
import type { EndpointQueues } from './endpoint-queues.ts'
import type { RedriveOrder, Redrives } from './redrives.ts'
import type { DeliverContext, DeliverTimes } from './shape.ts'

export interface AutoRedrive {
  /** It answers again after it had missed something. */
  recovered(endpointId: string): void
  /** Probes those that are due. */
  probe(now: number): void
}

export interface AutoRedriveParts {
  readonly context: DeliverContext
  readonly queues: EndpointQueues
  readonly book: EndpointBook
  readonly redrives: Redrives
  readonly times: Pick<DeliverTimes, 'probeEveryMs'>
}

/** The ids of redrives that nobody asked for follow from what caused them. */
const namespace = '7f8e6f0a-54c0-5f0e-9a4e-8d1f1c2b3a49'

/** The automatic redrives of one task. */
export function makeAutoRedrive({ context, queues, book, redrives, times }: AutoRedriveParts): AutoRedrive {
  const probedAt = new Map<string, number>()

  const wantsIt = (endpointId: string): boolean => {
    const standing = book.standing(endpointId)
    return standing.kind === 'active' && standing.endpoint.auto_redrive
  }

  const begin = (endpointId: string, limit?: number): void => {
    const now = context.now()
    redrives.begin(v5(`${endpointId} ${now} ${limit ?? 'all'}`, namespace), {
      ...automaticOrder,
      endpointId,
      requestedAt: now,
      ...(limit !== undefined && { limit }),
    })
  }

  return {
    recovered(endpointId) {
      probedAt.delete(endpointId)
      if (wantsIt(endpointId)) begin(endpointId)
    },
    probe(now) {
      for (const endpointId of book.missing()) {
        const isIdle = queues.of(endpointId).held === 0 && !redrives.isRunning(endpointId)
        if (!isIdle || now < (probedAt.get(endpointId) ?? 0) + times.probeEveryMs) continue
        probedAt.set(endpointId, now)
        if (wantsIt(endpointId)) begin(endpointId, 1)
      }
    },
  }
}

const automaticOrder = {
  automatic: true,
  requestedBy: 'system',
  filter: null,
  perSecond: null,
  withinMaxAge: true,
  confirmOutOfOrder: false,
} as const satisfies Partial<RedriveOrder>
