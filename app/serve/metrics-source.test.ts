import { describe, expect, it } from 'vitest'
import { health } from '../../api/testing/sample-log.ts'
import { attempted } from '../../ports/testing/log-records.ts'
import { exportMetrics } from './metrics-source.ts'

/** The metrics of an instance with tasks for these partitions, after it has read what all instances read. */
async function seenBy(own: readonly number[]) {
  let partitions = new Set(own)
  const metrics = exportMetrics({
    counters: () => [],
    waiting: () => ({}),
    lag: async () => new Map(),
    logWrittenUntil: async () => null,
    ready: async () => true,
    partitionsOf: () => partitions,
    version: 'test',
  })
  for (let partition = 0; partition < 4; partition++) {
    metrics.observeHistory(attempted({ of: `event-${partition}` }), partition)
    metrics.observeHealth(health({ endpoint_id: `e${partition}`, open: 10 }), partition)
  }
  const value = async (series: string) => {
    const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`${series} `))
    return Number(line?.split(' ').at(-1) ?? 0)
  }
  return {
    attempts: () => value('waybill_attempt_duration_seconds_count{result="acknowledged"}'),
    healthy: () => value('waybill_endpoints{state="healthy"}'),
    own(changed: readonly number[]) {
      partitions = new Set(changed)
    },
  }
}

describe('the metrics of several instances', () => {
  it('add up: each tells of what its own tasks have to do with', async () => {
    const [one, other, none] = [await seenBy([0, 1, 2]), await seenBy([3]), await seenBy([])]
    expect([await one.attempts(), await other.attempts(), await none.attempts()]).toEqual([3, 1, 0])
    expect([await one.healthy(), await other.healthy(), await none.healthy()]).toEqual([3, 1, 0])
  })

  it('follow a task that moves', async () => {
    const [one, other] = [await seenBy([0, 1, 2]), await seenBy([3])]
    one.own([0, 1])
    other.own([2, 3])
    expect([await one.healthy(), await other.healthy()]).toEqual([2, 2])
  })
})
