/**
 * How much processor time this process and the broker took, sampled while a run goes on, so that it can be read for the
 * steady part of the run alone: the same window and the same measure as on the other side of the comparison.
 */
import { readFileSync } from 'node:fs'
import { systemClock } from '../../engine/index.ts'

interface Sample {
  readonly atMs: number
  readonly own: number
  readonly broker: number
}

/** CPU-seconds between two moments. */
export interface CpuTaken {
  readonly own: number
  readonly broker: number
}

export interface CpuSamples {
  between(fromMs: number, toMs: number): CpuTaken
  stop(): void
}

const everyMs = 200
/** Linux counts processor time in ticks of 10 ms, whatever its timer. */
const ticksPerSecond = 100

/** Starts sampling; `brokerPid` is a process on this machine, or absent. */
export function sampleCpu(brokerPid: number | undefined): CpuSamples {
  const samples: Sample[] = []
  let cancel = () => {}
  const take = () => {
    const { user, system } = process.cpuUsage()
    samples.push({
      atMs: systemClock.now(),
      own: (user + system) / 1e6,
      broker: brokerPid === undefined ? 0 : cpuOf(brokerPid),
    })
    cancel = systemClock.at(systemClock.now() + everyMs, take)
  }
  take()
  return {
    between(fromMs, toMs) {
      const [from, to] = [at(samples, fromMs), at(samples, toMs)]
      return { own: to.own - from.own, broker: to.broker - from.broker }
    },
    stop: () => cancel(),
  }
}

/** User and system time of a process, in seconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Interpolated between the samples around it. */
function at(samples: readonly Sample[], ms: number): Sample {
  const after = samples.findIndex(({ atMs }) => atMs >= ms)
  const [one, other] = [samples[after - 1] ?? samples[0], samples[after] ?? samples.at(-1)]
  if (!one || !other) throw new Error('there are no samples')
  const share = other.atMs === one.atMs ? 0 : (ms - one.atMs) / (other.atMs - one.atMs)
  const part = Math.min(1, Math.max(0, share))
  return {
    atMs: ms,
    own: one.own + (other.own - one.own) * part,
    broker: one.broker + (other.broker - one.broker) * part,
  }
}
