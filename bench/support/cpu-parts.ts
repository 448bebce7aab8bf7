/**
 * Where the CPU of this process goes: samples of the main thread put down to the part of the product whose code runs
 * on top or has called into Node, and what the other threads took, which run the database and the disk.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

export interface CpuParts {
  /** Part → share of the main thread's busy samples. */
  readonly shares: ReadonlyMap<string, number>
}

const parts: readonly (readonly [string, RegExp])[] = [
  ['send: undici', /node_modules\/undici\//],
  ['send: sign, seal, call', /dist\/connectors\/webhook\/|dist\/schemas\/sealing/],
  ['decide: DELIVER', /dist\/processors\/deliver\//],
  ['watch: WATCH', /dist\/processors\/watch\//],
  ['delivery log', /dist\/connectors\/postgres\/|dist\/topology\/log|dist\/ports\/|pglite/],
  ['API, metrics', /dist\/app\/|dist\/api\/|prom-client|fastify/],
  ['engine: record log', /dist\/engine\/record-log\//],
  ['engine: stores', /dist\/engine\/stores\/|classic-level|abstract-level/],
  ['engine: Avro', /dist\/engine\/serdes\/|avsc|dist\/schemas\//],
  ['engine: runtime', /dist\/engine\//],
]

/** Starts to sample; the returned function ends it. */
export async function sampleCpu(): Promise<() => Promise<CpuParts>> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 500 })
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    const byId = new Map(profile.nodes.map((node) => [node.id, node]))
    const parentOf = new Map(
      profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])),
    )
    const partOf = (id: number): string => {
      const { functionName } = byId.get(id)?.callFrame ?? { functionName: '' }
      if (functionName === '(garbage collector)') return 'garbage collection'
      // Code of Node's own counts for whoever called it.
      for (let at: number | undefined = id; at !== undefined; at = parentOf.get(at)) {
        const url = byId.get(at)?.callFrame.url ?? ''
        const found = parts.find(([, pattern]) => pattern.test(url))
        if (found) return found[0]
      }
      return 'Node: sockets, promises, timers'
    }
    const counts = new Map<string, number>()
    let busy = 0
    for (const sample of profile.samples ?? []) {
      const name = byId.get(sample)?.callFrame.functionName
      if (name === '(idle)' || name === '(root)') continue
      busy++
      const part = partOf(sample)
      counts.set(part, (counts.get(part) ?? 0) + 1)
    }
    return { shares: new Map([...counts].map(([part, count]) => [part, count / Math.max(1, busy)])) }
  }
}

/** CPU seconds of the main thread so far; the rest of the process's are the database's, the disk's and V8's. */
export function mainThreadSeconds(): number {
  const ours = String(process.pid)
  if (!readdirSync('/proc/self/task').includes(ours)) return Number.NaN
  const stat = readFileSync(`/proc/self/task/${ours}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime and stime, in ticks of a hundredth of a second.
  return (Number(fields[11]) + Number(fields[12])) / 100
}
