import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { rebuildProgress, rebuildText } from './rebuild-text.ts'

const counts = (events: number) => ({
  events,
  attempts: events * 2,
  verdicts: events,
  endpoints: 1,
  deliveries: { waiting: 0, delivered: events, dead: 0, skipped: 0 },
})

describe('a rebuild in words', () => {
  it('shows each count before and after, and what kept it from its end', () => {
    const report = {
      complete: false,
      records: 3000,
      undecodable: 2,
      elapsed_ms: 1500,
      records_per_second: 2000,
      before: counts(7),
      after: counts(1000),
    }
    const text = rebuildText(report)
    expect(text).toMatch(
      /^records +3,000 {3}1\.5 s, 2,000\/s\nundecodable +2\n +before +after\nevents +7 +1,000\n/,
    )
    expect(text).toMatch(/\nattempts +14 +2,000\n[\s\S]*\ninterrupted: /)
  })

  it('tells progress in lines now and then, on a terminal in one line that changes', () => {
    const clock = manualClock(0)
    for (const [terminal, everyMs] of [
      [undefined, 2000],
      [{ columns: 80, rows: 20 }, 200],
    ] as const) {
      const { stdout } = capturedSurroundings(terminal ? { terminal } : {})
      const progress = rebuildProgress(stdout, clock)
      progress.show({ source: 'history', done: 1, total: 4, records: 10 })
      expect(stdout.text()).toBe('')
      clock.advance(everyMs)
      progress.show({ source: 'history', done: 1, total: 4, records: 1000 })
      expect(stdout.text()).toContain('25%  history  1,000 records')
      progress.clear()
      expect(stdout.text().endsWith(terminal ? '\r\x1b[K' : '\n')).toBe(true)
    }
  })
})
