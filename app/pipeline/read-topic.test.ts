import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sampleRedrives } from '../../api/testing/sample-log.ts'
import { LogError, manualClock, type RecordLog } from '../../engine/index.ts'
import { makeCodecs, openFolderRegistry, type RedriveProgress } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import { followTopic } from './read-topic.ts'
import { type ToldTopic, toldTopic } from './testing/told-topic.ts'

const topics = makeTopics(makeCodecs(openFolderRegistry()))

let told: ToldTopic<RedriveProgress>
beforeEach(async () => {
  told = await toldTopic<RedriveProgress>(topics.redrives)
})
afterEach(() => told.stop())

/** The log, whose reads fail as `errors` has it, until there are no more. */
const failing = (log: RecordLog, errors: LogError[]): RecordLog => ({
  ...log,
  fetcher: () => {
    const fetcher = log.fetcher()
    return {
      ...fetcher,
      fetch: (...asked) => {
        const error = errors.shift()
        return error ? Promise.reject(error) : fetcher.fetch(...asked)
      },
    }
  },
})

describe('who follows a topic', () => {
  const follow = (errors: LogError[]) => {
    const reports: string[] = []
    const stopping = new AbortController()
    const { log } = told.following
    const clock = manualClock(0)
    /** Lets the pause that follows pass. */
    const report = (message: string) => {
      reports.push(message)
      setImmediate(() => clock.advance(60_000))
    }
    const seen = new Promise<string>((resolve, reject) => {
      followTopic({
        log: failing(log, errors),
        topic: topics.redrives,
        from: 'start',
        onRecord: ({ key }) => resolve(String(key)),
        signal: stopping.signal,
        patience: { clock, report },
      }).catch(reject)
    })
    return { seen: seen.finally(() => stopping.abort()), reports }
  }
  const [sample] = sampleRedrives

  it('asks a log again that is away, and says so: the instance must not end for it', async () => {
    if (sample) await told.tell('r1', sample)
    const { seen, reports } = follow([new LogError('retriable', 'no broker answers')])
    expect(await seen).toBe('r1')
    expect(reports).toEqual([
      expect.stringMatching(/is not read now, and asked for again: no broker answers/),
    ])
  })

  it('ends for what asking again does not mend', async () => {
    await expect(follow([new LogError('rejected', 'not allowed')]).seen).rejects.toThrow('not allowed')
  })
})
