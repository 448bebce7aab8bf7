/** What a benchmark runs on: the first line of its output, and the pace of the machine in this minute. */
import { fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../../engine/index.ts'
import { percentile } from './figures.ts'

/** CPU, Node, the disk's floor under every commit, and a fixed loop: a shared host's speed wanders. */
export function machineLine(): string {
  return (
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.versions.node}, ` +
    `4 KiB synced in ${syncMedianMs().toFixed(2)} ms, fixed loop ${fixedLoopMs().toFixed(0)} ms, load ${(loadavg()[0] ?? 0).toFixed(1)}`
  )
}

/** How long the disk takes to make 4 KiB durable. */
export function syncMedianMs(): number {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-bench-'))
  const file = openSync(join(directory, 'sync'), 'w')
  const block = Buffer.alloc(4096, 1)
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    return performance.now() - start
  })
  rmSync(directory, { recursive: true })
  return percentile(times, 0.5)
}

function fixedLoopMs(): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    let sum = 0
    for (let at = 0; at < 20_000_000; at++) sum = (sum + Math.imul(at, 31)) | 0
    return performance.now() - start + (sum === 1 ? 1 : 0)
  })
  return percentile(times, 0.5)
}

export const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    systemClock.at(systemClock.now() + ms, resolve)
  })

/** User and system seconds of this process, all its threads together. */
export function cpuSeconds(): { readonly user: number; readonly system: number } {
  const { user, system } = process.cpuUsage()
  return { user: user / 1e6, system: system / 1e6 }
}
