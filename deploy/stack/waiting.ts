/** Waiting for other processes to become ready: on the real clock, since they live by it. */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const betweenLooksMs = 100
const oneLookMs = 2_000

/** Looks until it is so; resolves with `false` when the time is up or it is given up. */
export async function waitUntil(
  isSo: () => Promise<boolean> | boolean,
  { timeoutMs, givenUp = () => false }: { readonly timeoutMs: number; readonly givenUp?: () => boolean },
): Promise<boolean> {
  const endsAt = performance.now() + timeoutMs
  while (!(await isSo())) {
    if (givenUp() || performance.now() > endsAt) return false
    await pause(betweenLooksMs)
  }
  return true
}

/** Whether a GET is answered with 2xx. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(oneLookMs) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    // Not listening, or not yet able to answer: exactly what is asked here.
    return false
  }
}

/** Whether a connection to the port is taken. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: oneLookMs })
    socket.once('timeout', () => socket.destroy(new Error('no answer')))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
