/**
 * One captured file in steps that can be taken up again: each step says how many lines are behind it. A line is a
 * captured record or a bare change message; what Debezium writes beside changes is passed over.
 */
import { type BadLine, CapturedFileError, openChunks } from './captured-file.ts'
import type { CapturedRecord } from './captured-record.ts'
import { type Line, readLines } from './line-reader.ts'
import { readMessageLine } from './message-line.ts'

/** What some lines of a file held. */
export interface FileStep {
  readonly records: readonly CapturedRecord[]
  /** Lines of the file that are behind this step. */
  readonly lines: number
  readonly badLines: readonly BadLine[]
}

/** A step is one transaction: large enough to be cheap, small enough to be done again. */
const stepLinesMax = 512

/**
 * The steps of a file, from after `fromLine` lines. Throws `CapturedFileError` when the file cannot be read, or no
 * further; also when its last line has no end and is no record, because then it was cut off.
 */
export async function* readFileSteps(
  file: string,
  { fromLine, now }: { readonly fromLine: number; now(): number },
): AsyncGenerator<FileStep> {
  const chunks = openChunks(file)
  try {
    for await (const lines of readLines(chunks)) {
      const left = lines.filter((line) => line.number > fromLine)
      for (let from = 0; from < left.length; from += stepLinesMax) {
        yield stepOf(file, left.slice(from, from + stepLinesMax), now())
      }
    }
  } finally {
    await chunks.return(undefined)
  }
}

function stepOf(file: string, lines: readonly Line[], now: number): FileStep {
  const records: CapturedRecord[] = []
  const badLines: BadLine[] = []
  for (const line of lines) {
    const read = readMessageLine(line, now)
    if (read?.kind === 'record') records.push(read.record)
    if (read?.kind !== 'unreadable') continue
    if (line.unended) throw new CapturedFileError(file, `line ${line.number} ends early: the file is cut off`)
    badLines.push({ file, line: line.number, reason: read.reason })
  }
  return { records, lines: lines.at(-1)?.number ?? 0, badLines }
}
