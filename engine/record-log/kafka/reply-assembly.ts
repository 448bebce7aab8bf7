/**
 * Puts the pieces that a socket reads together to whole replies. A reply's memory is made once, in its size: read as
 * Node reads by default, four megabytes would be 64 buffers of their own and one more into which they are joined, all of
 * it memory outside the heap that the garbage collector has to chase.
 */

export interface ReplyAssembly {
  /** Takes what was read; the piece may be overwritten afterwards. */
  add(piece: Uint8Array): void
}

export interface ReplyAssemblyParts {
  /** Gets each whole reply, its length in front, in memory of its own. */
  readonly onReply: (reply: Buffer) => void
  /** The bytes are no replies; nothing is taken any more. */
  readonly onNonsense: (error: Error) => void
}

/** Bytes of the length that stands before a reply. */
const headBytes = 4
/** Brokers send what they are asked for, 16 MiB and one batch at most: more is another protocol. */
const replyBytesMax = 512 * 1024 * 1024

export function assembleReplies({ onReply, onNonsense }: ReplyAssemblyParts): ReplyAssembly {
  const head = Buffer.alloc(headBytes)
  let headFilled = 0
  let reply: Buffer | undefined
  let filled = 0
  let broken = false

  /** Takes part of the length; true when it is whole and a reply begins. */
  function takeHead(piece: Uint8Array, from: number): number {
    const take = Math.min(headBytes - headFilled, piece.length - from)
    head.set(piece.subarray(from, from + take), headFilled)
    headFilled += take
    if (headFilled < headBytes) return from + take
    const size = head.readInt32BE(0)
    if (size < 0 || size > replyBytesMax) {
      broken = true
      onNonsense(new Error(`a reply of ${size} bytes was announced: this is not a Kafka port`))
      return piece.length
    }
    // Not zeroed, and not from the pool: it is filled to the last byte before anybody sees it.
    reply = Buffer.allocUnsafeSlow(headBytes + size)
    reply.set(head, 0)
    filled = headBytes
    headFilled = 0
    return from + take
  }

  return {
    add(piece) {
      let at = 0
      while (at < piece.length && !broken) {
        if (!reply) at = takeHead(piece, at)
        if (!reply) continue
        const take = Math.min(reply.length - filled, piece.length - at)
        reply.set(piece.subarray(at, at + take), filled)
        at += take
        filled += take
        if (filled < reply.length) continue
        const whole = reply
        reply = undefined
        onReply(whole)
      }
    },
  }
}
