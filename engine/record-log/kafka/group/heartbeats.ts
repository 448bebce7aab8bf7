/** Signs of life on a timer of their own: whatever the member is busy with, the coordinator hears of it. */
import type { Clock } from '../../../clock.ts'
import { LogError } from '../../port.ts'

export interface Heartbeats {
  /** When the last one that was answered had been sent. */
  lastAt(): number
  /** Counts as an answered one, sent then. */
  heard(atMs: number): void
  start(): void
  stop(): void
}

export interface HeartbeatsParts {
  readonly clock: Clock
  readonly intervalMs: number
  /** Sends one; resolves when the coordinator has answered that the member is still one. */
  beat(): Promise<void>
  /** Something other than trouble with the connection. */
  onFault(error: unknown): void
}

/** After a beat without an answer the next one comes sooner. */
const hurriedMs = 250

export function createHeartbeats({ clock, intervalMs, beat, onFault }: HeartbeatsParts): Heartbeats {
  let lastAtMs = Number.NEGATIVE_INFINITY
  let cancel: (() => void) | undefined
  let running = false

  function arm(inMs: number): void {
    cancel = clock.at(clock.now() + inMs, () => void once())
  }

  async function once(): Promise<void> {
    const sentAtMs = clock.now()
    let nextMs = intervalMs
    try {
      await beat()
      lastAtMs = Math.max(lastAtMs, sentAtMs)
    } catch (error) {
      nextMs = Math.min(hurriedMs, intervalMs)
      if (!(error instanceof LogError && error.kind === 'retriable')) onFault(error)
    }
    if (running) arm(nextMs)
  }

  return {
    lastAt: () => lastAtMs,
    heard(atMs) {
      lastAtMs = Math.max(lastAtMs, atMs)
    },
    start() {
      if (running) return
      running = true
      arm(intervalMs)
    },
    stop() {
      running = false
      cancel?.()
    },
  }
}
