import { expect, it } from 'vitest'
import { manualClock, systemClock } from './clock.ts'

it('a timer of the system clock is not held up by a wall clock that is set back meanwhile', async () => {
  const wallNow = Date.now
  try {
    const fired = new Promise<void>((resolve) => systemClock.at(systemClock.now() + 20, resolve))
    Date.now = () => wallNow() - 3_600_000
    await fired
  } finally {
    Date.now = wallNow
  }
})

it('a cancelled timer of the system clock does not fire', async () => {
  const fired: string[] = []
  const cancel = systemClock.at(systemClock.now() + 5, () => fired.push('cancelled'))
  cancel()
  cancel()
  await new Promise<void>((resolve) => systemClock.at(systemClock.now() + 20, resolve))
  expect(fired).toEqual([])
})

it('a manual clock fires what falls due on the way, in order of due times', () => {
  const clock = manualClock(0)
  const fired: number[] = []
  for (const at of [30, 10, 20]) clock.at(at, () => fired.push(clock.now()))
  clock.advance(25)
  expect(fired).toEqual([10, 20])
  expect(clock.nextTimer()).toBe(30)
})
