/** Splits a byte stream into lines, in batches, with a bound on the length of a line. */
import { isUtf8 } from 'node:buffer'

/** A line, or why there is none at that number. Lines count from 1. */
export interface Line {
  readonly number: number
  readonly text: string
  readonly problem?: string
  /** The file ends here without a line break: it may have been cut off. */
  readonly unended?: true
}

/** No record that Kafka accepts by default comes near it, even with every byte escaped. */
const maxLineBytes = 16 * 1024 * 1024

const newline = 0x0a

/** Yields the lines of each chunk together: a promise per chunk is cheap, one per line is not. */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  limitBytes: number = maxLineBytes,
): AsyncGenerator<readonly Line[]> {
  let number = 0
  /** The beginning of a line whose end has not come yet. */
  let started: Buffer[] = []
  let startedBytes = 0
  /** Inside a line that is too long already: nothing of it is kept. */
  let skipping = false

  const finish = (end: Buffer): Line => {
    number++
    const bytes = started.length === 0 ? end : Buffer.concat([...started, end])
    const tooLong = skipping || bytes.length > limitBytes
    started = []
    startedBytes = 0
    skipping = false
    if (tooLong) return { number, text: '', problem: `longer than ${limitBytes} bytes` }
    if (!isUtf8(bytes)) return { number, text: '', problem: 'not UTF-8' }
    return { number, text: withoutMark(bytes.toString('utf8'), number) }
  }

  for await (const chunk of chunks) {
    const lines: Line[] = []
    let from = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      lines.push(finish(chunk.subarray(from, at)))
      from = at + 1
    }
    if (from < chunk.length && !skipping) {
      startedBytes += chunk.length - from
      if (startedBytes > limitBytes) {
        skipping = true
        started = []
      } else {
        started.push(chunk.subarray(from))
      }
    }
    if (lines.length > 0) yield lines
  }
  if (started.length > 0 || skipping) yield [{ ...finish(Buffer.alloc(0)), unended: true }]
}

/** Editors on Windows like to put a byte order mark in front. */
const withoutMark = (text: string, number: number): string =>
  number === 1 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
