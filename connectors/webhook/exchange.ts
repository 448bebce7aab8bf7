/** What has come back of one request so far: bounded in memory, and broken off when nobody wants the rest. */
import type { Dispatcher } from 'undici'

/** A response longer than this is not read to its end; what it says in the status line counts. */
const readBytesMax = 64 * 1024

/** One request and what has come back of it so far. */
export interface Exchange {
  controller: Dispatcher.DispatchController | undefined
  statusCode: number | null
  /** Of the response: names in lower case. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  hasEnded: boolean
  isOver: boolean
  /** Keeps the first bytes; answers whether that was more than is read. */
  take(chunk: Uint8Array): boolean
  /** Whether the response was longer than is read. */
  isTooLong(): boolean
  text(): string
  /** The first value of a header. */
  header(name: string): string | undefined
  /** Breaks the connection, unless the response has ended and it can be used again. */
  stop(why: string): void
}

/** Bytes kept of a response: enough for what is kept as text, and for a secret across the cut. */
const keptBytesMax = 8 * 1024

/** Nothing has come yet. */
export function makeExchange(): Exchange {
  const kept: Uint8Array[] = []
  let keptBytes = 0
  let seenBytes = 0
  const exchange: Exchange = {
    controller: undefined,
    statusCode: null,
    headers: {},
    hasEnded: false,
    isOver: false,
    take(chunk) {
      seenBytes += chunk.length
      if (keptBytes < keptBytesMax) {
        const part = chunk.subarray(0, keptBytesMax - keptBytes)
        kept.push(Uint8Array.from(part))
        keptBytes += part.length
      }
      return seenBytes > readBytesMax
    },
    isTooLong: () => seenBytes > readBytesMax,
    header(name) {
      const value = exchange.headers[name]
      return typeof value === 'string' ? value : value?.[0]
    },
    text: () => Buffer.concat(kept).toString('utf8'),
    stop(why) {
      if (!exchange.hasEnded) exchange.controller?.abort(new Error(why))
    },
  }
  return exchange
}
