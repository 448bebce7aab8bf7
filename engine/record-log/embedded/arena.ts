/**
 * Memory that is used over and over for what lives as long as one write. Batches of hundreds of kilobytes, made and
 * dropped for each commit, cost page faults and make the collector run for memory that is not even its own.
 */
export interface Arena {
  /** Room for at least so many bytes, until the next `keep`. */
  readonly room: (bytes: number) => Buffer
  /** The bytes at the front of the latest room stay as they are until `reset`. */
  keep(bytes: Buffer): Buffer
  /** Nothing that was kept is needed any more. */
  reset(): void
}

/** An arena of so many bytes, taken at the first use. What does not fit gets memory of its own. */
export function createArena(size: number): Arena {
  let memory: Buffer | undefined
  let used = 0
  return {
    room(bytes) {
      memory ??= Buffer.allocUnsafeSlow(size)
      return bytes > size - used ? Buffer.allocUnsafeSlow(bytes) : memory.subarray(used, used + bytes)
    },
    keep(bytes) {
      if (bytes.buffer === memory?.buffer) used += bytes.length
      return bytes
    },
    reset() {
      used = 0
    },
  }
}
