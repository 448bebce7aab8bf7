import { describe, expect, it } from 'vitest'
import { createMemoryLog, LogError, manualClock, type RecordLog, seededRandom } from '../../engine/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { readSourceFile } from '../config/source.ts'
import { checkTopology } from './check-topology.ts'
import { environmentalFailure } from './environmental-failure.ts'

const notYet = new LogError('retriable', 'ListOffsets of order.events:3: there is no leader')

/** A log whose partitions have no leader for the first questions. */
function starting(refusals: number) {
  const clock = manualClock(1_000_000)
  const memory = createMemoryLog({ clock })
  const reports: string[] = []
  const stopping = new AbortController()
  let left = refusals
  const log: RecordLog = {
    ...memory,
    admin: {
      ...memory.admin,
      async listTopics() {
        if (left-- > 0) throw notYet
        return memory.admin.listTopics()
      },
    },
  }
  const checked = checkTopology(
    { log, partitions: { usual: 4, endpoints: 4 } },
    {
      ...{ mapping: readSourceFile(), random: seededRandom(1), clock, signal: stopping.signal },
      report: (message) => reports.push(message),
    },
  )
  return { checked, clock, memory, reports, stopping }
}

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

describe('looking at the topics before an instance takes part', () => {
  it('waits for brokers that cannot say yet, and says so once', async () => {
    const { checked, clock, memory, reports } = starting(3)
    for (let second = 0; second < 10; second++) {
      await turns()
      clock.advance(1000)
    }
    await checked
    expect(reports).toEqual(['Kafka cannot say yet what is in it; it is asked again until it can'])
    expect(await memory.admin.listTopics()).toContain('order.events')
  })

  it('ends the waiting when it is told to', async () => {
    const { checked, stopping } = starting(Number.POSITIVE_INFINITY)
    await turns()
    stopping.abort(new Error('stopped'))
    await expect(checked).rejects.toThrow('stopped')
  })
})

describe('a log that cannot answer yet', () => {
  it('is told from a broken one: there is nothing to mend, but to wait', () => {
    const failure = environmentalFailure(notYet)
    expect(failure).toBeInstanceOf(CliError)
    expect(String((failure as CliError).message)).toMatch(/cannot answer yet: ListOffsets of order\.events:3/)
    const broken = environmentalFailure(new LogError('rejected', 'the disk is full')) as CliError
    expect(broken.message).toMatch(/the record log failed: the disk is full/)
  })
})
