/** Surroundings for tests: outputs that are kept, a stop that tests pull, everything else as given. */
import { Readable } from 'node:stream'
import { type Clock, seededRandom, systemClock } from '../../../engine/index.ts'
import type { Output, StopReason, Surroundings } from '../surroundings.ts'

export interface CapturedSurroundings extends Surroundings {
  readonly stdout: CapturedOutput
  readonly stderr: CapturedOutput
  /** What a signal or a closed pipe would do. */
  end(reason: StopReason): void
}

export interface CapturedOutput extends Output {
  text(): string
  /** Called after every write. */
  onWrite: (text: string) => void
}

/** Makes them; a terminal of the given size where `terminal` is set. */
export function capturedSurroundings(
  options: {
    env?: Record<string, string>
    cwd?: string
    clock?: Clock
    stdin?: string
    terminal?: { columns: number; rows: number }
  } = {},
): CapturedSurroundings {
  const stop = new AbortController()
  return {
    env: options.env ?? {},
    cwd: options.cwd ?? '/',
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: capturedOutput(options.terminal),
    stderr: capturedOutput(),
    clock: options.clock ?? systemClock,
    random: seededRandom(1),
    stop: stop.signal,
    end: (reason) => stop.abort(reason),
  }
}

function capturedOutput(terminal?: { columns: number; rows: number }): CapturedOutput {
  let written = ''
  const output: CapturedOutput = {
    text: () => written,
    onWrite: () => undefined,
    write(text) {
      written += text
      output.onWrite(text)
      return true
    },
    drained: () => Promise.resolve(),
    isTTY: terminal !== undefined,
    columns: () => terminal?.columns,
    rows: () => terminal?.rows,
    atExit: () => () => undefined,
  }
  return output
}
