/** What one line of a captured file holds. */
import { type ReadMessage, readMessage } from './change-message.ts'
import type { Line } from './line-reader.ts'

/** Reads a line; undefined where it is blank. `now` is the time of a message that names none. */
export function readMessageLine({ text, problem }: Line, now: number): ReadMessage | undefined {
  if (problem !== undefined) return { kind: 'unreadable', reason: problem }
  return text.trim() === '' ? undefined : readMessage(text, { now })
}
