/** The benchmark's end of the process with the endpoints: their URLs, a running count, and what came in. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { EndpointBehaviour, EndpointsCommand, EndpointsMessage, Taken } from './endpoints-child.ts'

export interface Endpoints {
  readonly urls: readonly string[]
  /** Deliveries answered since the start, as of at most 10 ms ago. */
  distinct(): number
  /** Requests since the last `take` that will not be answered. */
  hung(): number
  /** Requests that are being answered, as of at most 10 ms ago. */
  open(): number
  /** Endpoints `from` up to, not including, `to` take requests so from now on. */
  behave(from: number, to: number, behaviour: Partial<EndpointBehaviour>): void
  /** Hands over what came in since the last call. */
  take(): Promise<Taken>
  stop(): void
}

/** Starts the process; resolves when all of them listen. */
export async function startEndpoints(count: number): Promise<Endpoints> {
  const child = fork(fileURLToPath(new URL('./endpoints-child.js', import.meta.url)), [String(count)], {
    execArgv: [],
    serialization: 'advanced',
  })
  let counts = { distinct: 0, hung: 0, open: 0 }
  let onTaken: (taken: Taken) => void = () => {}
  const command = (message: EndpointsCommand) => child.send(message)
  const ports = await new Promise<readonly number[]>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the endpoints' process ended with ${code}`)))
    child.on('message', (message: EndpointsMessage) => {
      switch (message.kind) {
        case 'listening':
          return resolve(message.ports)
        case 'count':
          counts = message
          return
        case 'taken':
          onTaken(message.taken)
      }
    })
  })
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}/hook`),
    distinct: () => counts.distinct,
    hung: () => counts.hung,
    open: () => counts.open,
    behave: (from, to, behaviour) =>
      command({ kind: 'behave', from, to, behaviour: { hangs: false, afterMs: 0, ...behaviour } }),
    take: () =>
      new Promise((resolve) => {
        onTaken = resolve
        command({ kind: 'take' })
      }),
    stop: () => child.disconnect(),
  }
}
