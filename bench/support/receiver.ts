/** The benchmark's end of the receiver process: its URL, its running count, and the latencies that it took. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ReceiverMessage } from './receiver-child.ts'

export interface Receiver {
  readonly url: string
  /** As of the last message, at most 20 ms ago. */
  counts(): { readonly received: number; readonly distinct: number }
  /** Hands over the latencies taken since the last call, and counts from zero again. */
  takeLatencies(): Promise<readonly number[]>
  stop(): void
}

/** Starts the process; resolves when it listens. */
export async function startReceiver(): Promise<Receiver> {
  const child = fork(fileURLToPath(new URL('./receiver-child.js', import.meta.url)), { execArgv: [] })
  let counts = { received: 0, distinct: 0 }
  let onLatencies: (latenciesMs: readonly number[]) => void = () => {}
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the receiver ended with ${code}`)))
    child.on('message', (message: ReceiverMessage) => {
      switch (message.kind) {
        case 'listening':
          return resolve(message.port)
        case 'count':
          counts = message
          return
        case 'latencies':
          counts = { received: 0, distinct: 0 }
          onLatencies(message.latenciesMs)
      }
    })
  })
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    counts: () => counts,
    takeLatencies: () =>
      new Promise((resolve) => {
        onLatencies = resolve
        child.send('take')
      }),
    stop: () => child.disconnect(),
  }
}
