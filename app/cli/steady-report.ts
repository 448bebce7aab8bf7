/** Keeps problems that come again and again from filling a log: each kind is told once in a while, with its count. */
import type { Clock, Report } from '../../engine/index.ts'

const tellEveryMs = 60_000
/** More kinds than there are; beyond it something is part of a message that makes each a kind of its own. */
const kindsMax = 200

/**
 * Tells a problem at once when it is new, then at most once a minute, and how often it came meanwhile. `kindOf` says
 * which texts are about the same problem.
 */
export function steadyReport(
  print: (text: string) => void,
  clock: Clock,
  kindOf: (text: string) => string = withoutNumbers,
): Report {
  const told = new Map<string, { at: number; since: number }>()
  return (message, cause) => {
    const text = `${message}${cause === undefined ? '' : `: ${String(cause)}`}`
    const kind = kindOf(text)
    const known = told.get(kind)
    const now = clock.now()
    // A clock that was set back must not silence anything.
    if (known && now >= known.at && now - known.at < tellEveryMs) {
      known.since++
      return
    }
    if (told.size >= kindsMax) told.clear()
    told.set(kind, { at: now, since: 0 })
    print(known && known.since > 0 ? `${text} (and ${known.since} times more before)` : text)
  }
}

/** Numbers and ids differ from time to time: pauses, ports, requests. */
const withoutNumbers = (text: string) => text.replace(/[0-9a-f]{8,}|\d+/g, '#')
