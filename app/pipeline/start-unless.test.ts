import { describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { startUnless } from './start-unless.ts'

/** An application of which each step ends when the test says so. */
function application() {
  const done: string[] = []
  const step = (name: string) => {
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const run = () => {
      done.push(name)
      return ended
    }
    return { end: () => end(), run }
  }
  const [start, stop] = [step('start'), step('stop')]
  return {
    done,
    start,
    stop,
    asked: { start: start.run, stop: stop.run, kill: () => void done.push('kill') },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a start', () => {
  it('goes on when nobody calls it off, and leaves no timer', async () => {
    const { asked, start, done } = application()
    const clock = manualClock(0)
    const started = startUnless(new AbortController().signal, asked, clock)
    start.end()
    await started
    expect([done, clock.nextTimer()]).toEqual([['start'], undefined])
  })

  it('that is called off is stopped cleanly', async () => {
    const { asked, stop, done } = application()
    const clock = manualClock(0)
    const calling = new AbortController()
    const started = startUnless(calling.signal, asked, clock)
    calling.abort('SIGTERM')
    const refused = expect(started).rejects.toBe('SIGTERM')
    await turn()
    stop.end()
    await refused
    expect([done, clock.nextTimer()]).toEqual([['start', 'stop', 'kill'], undefined])
  })

  // Joining a group waits for a broker without end: a process that was told to stop then never ended.
  it('that cannot even be stopped is dropped after two seconds', async () => {
    const { asked, done } = application()
    const clock = manualClock(0)
    const calling = new AbortController()
    const started = startUnless(calling.signal, asked, clock)
    calling.abort('SIGTERM')
    const refused = expect(started).rejects.toBe('SIGTERM')
    await turn()
    clock.advance(1999)
    await turn()
    expect(done).toEqual(['start', 'stop'])
    clock.advance(1)
    await refused
    expect(done).toEqual(['start', 'stop', 'kill'])
  })
})
