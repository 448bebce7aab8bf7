/**
 * The opaque cursor of a list: where the page before ended, and for which question. A cursor of another question
 * is refused instead of giving a page that fits neither.
 */
import { createHash } from 'node:crypto'
import type { EventFilter, Scope } from './delivery-log.ts'

/** Where a page ended. Events have no endpoint. */
export interface PagePlace {
  readonly occurredAt: number
  readonly eventId: string
  readonly endpointId: string | null
}

/** What a cursor belongs to. */
export interface PageQuestion {
  readonly list: 'events' | 'deliveries'
  readonly scope: Scope
  readonly filter: EventFilter
}

export function encodeCursor(place: PagePlace, question: PageQuestion): string {
  const parts = [place.occurredAt, place.eventId, place.endpointId, fingerprint(question)]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** Undefined when it is none of ours, or belongs to another question. */
export function decodeCursor(cursor: string, question: PageQuestion): PagePlace | undefined {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
  if (!Array.isArray(parts)) return undefined
  const [occurredAt, eventId, endpointId, asked] = parts as unknown[]
  if (asked !== fingerprint(question)) return undefined
  if (!Number.isSafeInteger(occurredAt) || typeof eventId !== 'string' || !isUuid(eventId)) return undefined
  if (endpointId !== null && typeof endpointId !== 'string') return undefined
  return { occurredAt: Number(occurredAt), eventId, endpointId }
}

/** Six bytes tell questions apart; they protect nothing, the scope is applied to every page anyway. */
function fingerprint({ list, scope, filter }: PageQuestion): string {
  const { type, status, sinceMs, untilMs, endpointId, orderId, redriveId, outOfOrder, test } = filter
  const facts = [type, status, sinceMs, untilMs, endpointId, orderId, redriveId, outOfOrder, test]
  const parts = [list, scope.partnerId, ...facts]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 8)
}

/** Whether it can be an id at all; what is not is not looked for. */
export const isUuid = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)
