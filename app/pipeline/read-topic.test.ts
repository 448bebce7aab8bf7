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

/** What a log answers first, by what is asked of it. */
interface Troubles {
  readonly ends?: LogError
  readonly reads?: LogError
}

/** The log, that answers well only to the second question of a kind. */
function failing(log: RecordLog, troubles: Troubles): RecordLog {
  const told = new Set<keyof Troubles>()
  const once = <T>(kind: keyof Troubles, ask: () => Promise<T>): Promise<T> => {
    const error = troubles[kind]
    if (!error || told.has(kind)) return ask()
    told.add(kind)
    return Promise.reject(error)
  }
  return {
    ...log,
    admin: { ...log.admin, endOffsets: (...asked) => once('ends', () => log.admin.endOffsets(...asked)) },
    fetcher: () => {
      const fetcher = log.fetcher()
      return { ...fetcher, fetch: (...asked) => once('reads', () => fetcher.fetch(...asked)) }
    },
  }
}

describe('who follows a topic', () => {
  const follow = (troubles: Troubles) => {
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
        log: failing(log, troubles),
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
    const away = (why: string) => new LogError('retriable', why)
    const { seen, reports } = follow({ ends: away('no broker answers'), reads: away('nobody leads it') })
    expect(await seen).toBe('r1')
    expect(reports).toEqual([
      expect.stringMatching(/is not read now, and asked for again: no broker answers/),
      expect.stringMatching(/is not read now, and asked for again: nobody leads it/),
    ])
  })

  it('ends for what asking again does not mend', async () => {
    for (const kind of ['ends', 'reads'] as const) {
      const { seen } = follow({ [kind]: new LogError('rejected', `no ${kind} for you`) })
      await expect(seen).rejects.toThrow(`no ${kind} for you`)
    }
  })
})
