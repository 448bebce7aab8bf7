/**
 * What a command gets from the process around it: arguments, environment, streams, time, chance and the wish to
 * stop. Commands touch none of these directly, so tests run them whole, inside their own process.
 */
import { writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { MessageChannel } from 'node:worker_threads'
// Not through the engine's index: that loads all of it, which takes longer than many a command.
import { type Clock, type Random, systemClock, systemRandom } from '../../engine/clock.ts'

/** A stream to write to. */
export interface Output {
  /** Writes; `false` means that the reader is slow: await `drained()` before writing much more. */
  write(text: string): boolean
  drained(): Promise<void>
  readonly isTTY: boolean
  /** The width of the terminal now; `undefined` where there is none. */
  columns(): number | undefined
  /** The height of the terminal now; `undefined` where there is none. */
  rows(): number | undefined
  /** Text to be written when the process ends by whatever way; returns a function that takes it back. */
  atExit(text: string): () => void
}

/** Why a command should come to an end. */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'broken-pipe'

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: Readable
  /** Data, and nothing else. */
  readonly stdout: Output
  /** Progress, summaries and errors. */
  readonly stderr: Output
  readonly clock: Clock
  readonly random: Random
  /** Aborted with a `StopReason` by the first Ctrl-C, SIGTERM, or when nobody reads stdout any more. */
  readonly stop: AbortSignal
}

/** Whether output may be coloured: a terminal, or FORCE_COLOR; never with NO_COLOR (https://no-color.org). */
export function colorWanted(env: Surroundings['env'], output: Pick<Output, 'isTTY'>): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0') return true
  return output.isTTY && env.TERM !== 'dumb'
}

/**
 * The real process. The first signal asks for a clean stop, the second one forces the end. Call `release` when the
 * command is done.
 */
export function processSurroundings(): { surroundings: Surroundings; release(): void } {
  const controller = new AbortController()
  const stop = (reason: StopReason) => {
    if (!controller.signal.aborted) controller.abort(reason)
  }
  let signals = 0
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    signals++
    stop(signal)
    if (signals > 1) process.exit(signal === 'SIGINT' ? 130 : 143)
  }
  const onInterrupt = () => onSignal('SIGINT')
  const onTerminate = () => onSignal('SIGTERM')
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onTerminate)
  // Waiting timers do not keep a process alive, and signals do not either; an open port does.
  const { port1, port2 } = new MessageChannel()
  port1.on('message', () => undefined)
  const surroundings: Surroundings = {
    env: process.env,
    cwd: process.cwd(),
    // Touched only when somebody reads it.
    get stdin() {
      return process.stdin
    },
    stdout: processOutput(process.stdout, () => stop('broken-pipe')),
    stderr: processOutput(process.stderr, () => stop('broken-pipe')),
    clock: systemClock,
    random: systemRandom,
    stop: controller.signal,
  }
  return {
    surroundings,
    release() {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
      port1.close()
      port2.close()
    },
  }
}

/** `waybill replay … | head -3` closes the pipe early: that is a wish to stop, not an error. */
function processOutput(stream: NodeJS.WriteStream & { fd: number }, onBrokenPipe: () => void): Output {
  let broken = false
  let draining: Promise<void> | undefined
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
    broken = true
    onBrokenPipe()
  })
  return {
    write: (text) => broken || stream.write(text),
    drained() {
      // One wait for all that ask, and so one pair of listeners.
      draining ??= drainOf(stream).finally(() => {
        draining = undefined
      })
      return broken ? Promise.resolve() : draining
    },
    isTTY: stream.isTTY === true,
    columns: () => stream.columns,
    rows: () => stream.rows,
    atExit(text) {
      const write = () => writeSync(stream.fd, text)
      process.on('exit', write)
      return () => process.off('exit', write)
    },
  }
}

function drainOf(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writableNeedDrain) return resolve()
    const done = () => {
      stream.off('drain', done)
      stream.off('error', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('error', done)
  })
}
