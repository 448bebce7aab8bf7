/**
 * The disk under a task's state: sorted string keys to bytes, read synchronously, written in atomic batches. A
 * port, because a simulation must own it; `level-disk.ts` is the real one, `memory-disk.ts` its twin.
 */

export type DiskOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: string }

export interface DiskWriteOptions {
  /**
   * Wait until the batch would survive a power cut. Without it a batch survives the death of the process, and a
   * power cut may take the latest batches, always a tail of them and never a part of one. Default: false.
   */
  readonly sync?: boolean
}

/** Keys sort by their UTF-8 bytes; values are treated as immutable on both sides. */
export interface Disk {
  /** Throws `DiskError` when the data cannot be read. */
  get(key: string): Uint8Array | undefined
  /**
   * Every entry whose key starts with `prefix`, in key order, as of the call. Reads in pages; leaving the loop
   * early releases what it holds.
   */
  entries(prefix: string): AsyncIterable<readonly [key: string, value: Uint8Array]>
  /** All of the operations or none; of two on one key the later one counts. */
  write(operations: readonly DiskOperation[], options?: DiskWriteOptions): Promise<void>
  /**
   * Deletes every key that starts with `prefix`. Not atomic: after a crash a part may be left, so whoever relies
   * on it deletes, in a `write` before, the entry that says that the range is good.
   */
  deleteRange(prefix: string): Promise<void>
  /** Waits for running writes. Closing twice is harmless; anything else on a closed disk throws `DiskError`. */
  close(): Promise<void>
}

export interface DiskFactory {
  /** Opens, or creates, the disk in a directory; one holder at a time. */
  open(directory: string): Promise<Disk>
}

/** The disk could not be opened, read or written. Nothing of the failed call was half-applied. */
export class DiskError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DiskError'
  }
}

/** What one page of `entries` holds at most. */
export const diskPageEntries = 2000
