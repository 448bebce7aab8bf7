/**
 * Shows snapshots while something runs: repaints a terminal a few times a second, or prints a line every few
 * seconds where there is none.
 */
import type { Clock } from '../../engine/index.ts'
import type { Output } from '../cli/surroundings.ts'
import { wait } from '../cli/wait.ts'
import { render } from './render.ts'
import type { ViewSnapshot } from './snapshot.ts'
import { summaryJson, summaryLine } from './summary-line.ts'

export interface PainterOptions {
  readonly output: Output
  readonly clock: Clock
  readonly format: 'text' | 'json'
  readonly color: boolean
  snapshot(): ViewSnapshot
  readonly signal: AbortSignal
}

/** Often enough to look alive, seldom enough to read. */
const repaintMs = 250
const lineEveryMs = 5000

/** The alternate screen keeps the scrollback clean; the cursor would only flicker. */
const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'

/** Shows until the signal aborts, then leaves the last state standing. */
export async function paint(options: PainterOptions): Promise<void> {
  if (options.format === 'text' && options.output.isTTY) await paintScreen(options)
  else await printLines(options)
}

async function paintScreen({ output, clock, color, snapshot, signal }: PainterOptions): Promise<void> {
  const draw = (height?: number) => {
    const width = output.columns() ?? 80
    return render(snapshot(), { width, color, ...(height !== undefined && { height }) })
  }
  const restore = output.atExit(leave)
  output.write(enter)
  try {
    while (!signal.aborted) {
      output.write(frame(draw((output.rows() ?? 24) - 1)))
      await output.drained()
      await wait(clock, clock.now() + repaintMs, signal)
    }
  } finally {
    restore()
    output.write(leave)
  }
  output.write(`${draw()}\n`)
}

/** Overwrites in place: clearing first would flicker. */
const frame = (text: string): string =>
  `\x1b[H${text
    .split('\n')
    .map((line) => `${line}\x1b[K`)
    .join('\n')}\x1b[J`

async function printLines({ output, clock, format, snapshot, signal }: PainterOptions): Promise<void> {
  const print = () => {
    output.write(`${format === 'json' ? summaryJson(snapshot()) : summaryLine(snapshot())}\n`)
  }
  while (!signal.aborted) {
    await wait(clock, clock.now() + lineEveryMs, signal)
    print()
    await output.drained()
  }
}
