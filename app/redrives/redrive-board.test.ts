import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sampleRedrives } from '../../api/testing/sample-log.ts'
import { makeCodecs, openFolderRegistry, type RedriveProgress } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { type ToldTopic, toldTopic } from '../pipeline/testing/told-topic.ts'
import { followRedrives } from './redrive-board.ts'

const topics = makeTopics(makeCodecs(openFolderRegistry()))
const [sample] = sampleRedrives
if (!sample) throw new Error('there is no sample')

let told: ToldTopic<RedriveProgress>
beforeEach(async () => {
  told = await toldTopic<RedriveProgress>(topics.redrives)
})
afterEach(() => told.stop())

const progress = (id: string, requestedAt: number, changes: Partial<RedriveProgress> = {}) => ({
  ...sample,
  redrive_id: id,
  requested_at: requestedAt,
  ...changes,
})
const tell = (key: string, value: RedriveProgress | null) => told.tell(key, value)
const follow = (keptMax?: number) =>
  followRedrives({ ...told.following, topics, ...(keptMax !== undefined && { keptMax }) })

/** Asks until the answer is as wanted: what is appended is read by a follower of its own. */
async function until(board: ReturnType<typeof follow>, wanted: readonly string[]): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    const ids = (await board.list()).map(({ redrive_id }) => redrive_id)
    if (ids.join() === wanted.join()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect((await board.list()).map(({ redrive_id }) => redrive_id)).toEqual(wanted)
}

describe('the board of redrives', () => {
  it('knows at the first question all that was there: the newest word of each, the newest one first', async () => {
    await tell('r1', progress('r1', 100, { redriven: 1 }))
    await tell('r2', progress('r2', 300))
    await tell('r3', progress('r3', 200))
    await tell('r1', progress('r1', 100, { redriven: 7 }))
    await tell('r3', null)
    expect((await follow().list()).map(({ redrive_id, redriven }) => [redrive_id, redriven])).toEqual([
      ['r2', sample.redriven],
      ['r1', 7],
    ])
  })

  it('is empty where there was none, follows what comes, and reads nothing again', async () => {
    const board = follow()
    expect(await board.list()).toEqual([])
    await tell('r1', progress('r1', 100))
    await tell('r2', progress('r2', 200))
    await until(board, ['r2', 'r1'])
    await tell('r2', null)
    await until(board, ['r1'])
    expect(told.readers()).toBe(1)
  })

  it('drops those that ended longest ago when there are too many', async () => {
    for (let n = 1; n <= 6; n++) {
      await tell(`r${n}`, progress(`r${n}`, n, { ended_at: n === 1 ? null : 1000 + n }))
    }
    expect((await follow(5).list()).map(({ redrive_id }) => redrive_id)).toEqual([
      'r6',
      'r5',
      'r4',
      'r3',
      'r1',
    ])
  })

  it('answers also while it stops', async () => {
    const board = follow()
    told.stop()
    await board.following
    expect(await board.list()).toEqual([])
  })
})
