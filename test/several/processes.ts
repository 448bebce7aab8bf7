/** Child processes that run an instance each, to be stopped cleanly or killed with SIGKILL. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { systemClock } from '../../engine/index.ts'
import { lastRequestsRead } from '../embedded/receiver.ts'

export interface InstanceProcess {
  /** Resolves when it has printed a line with `text` on either output; rejects when it ends before. */
  says(text: string): Promise<void>
  /** Where its API listens; waits until it says so. */
  apiUrl(): Promise<string>
  /**
   * SIGKILL; resolves with the moment at which the process is gone, and what it had sent is read. Rejects when it had
   * ended by itself.
   */
  kill(): Promise<number>
  /** SIGTERM; rejects with what it said when the exit code is not 0, or it does not end: then it is killed. */
  stop(): Promise<void>
  /** CPU time of its own so far, in seconds; where /proc tells it. */
  cpuSeconds(): number
  /** Whatever it said so far. */
  text(): string
  readonly isRunning: () => boolean
}

/** Running calls get 2 s, the last commit and the group what a busy broker takes. */
const stopWithinMs = 30_000

export interface ProcessOptions {
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Starts Node with these arguments. */
export function startInstance({ args, cwd, env }: ProcessOptions): InstanceProcess {
  const child: ChildProcess = spawn(process.execPath, args, {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }
  const hear = (chunk: Buffer) => {
    text += chunk.toString('utf8')
    wake()
  }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  let code: number | null | undefined
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (exit) => {
      code = exit
      resolve(exit)
      wake()
    })
  })
  async function says(wanted: string) {
    while (!text.includes(wanted)) {
      if (code !== undefined) throw new Error(`it ended with ${code} before it said "${wanted}": ${text}`)
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  return {
    text: () => text,
    says,
    async apiUrl() {
      await says('the API listens on ')
      return /the API listens on (\S+)/.exec(text)?.[1] ?? ''
    },
    cpuSeconds() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      // utime and stime, counted from the state behind the name, in hundredths.
      return (Number(fields[11]) + Number(fields[12])) / 100
    },
    isRunning: () => code === undefined,
    async kill() {
      if (code !== undefined) throw new Error(`the process had ended by itself with ${code}: ${text}`)
      child.kill('SIGKILL')
      await ended
      await lastRequestsRead()
      return systemClock.now()
    },
    async stop() {
      child.kill('SIGTERM')
      const cancel = systemClock.at(systemClock.now() + stopWithinMs, () => child.kill('SIGKILL'))
      const exit = await ended
      cancel()
      if (exit === null)
        throw new Error(`the process did not end within ${stopWithinMs / 1000} s of SIGTERM: ${text}`)
      if (exit !== 0) throw new Error(`the process ended with ${exit}: ${text}`)
    },
  }
}

/** Real processes can only be waited for. */
export const pause = (forMs: number) =>
  new Promise<void>((resolve) => {
    systemClock.at(systemClock.now() + forMs, resolve)
  })

export interface Until {
  /** What is waited for. */
  readonly what: string
  readonly withinMs: number
  readonly lookEveryMs?: number
  /** What to say besides when it never comes. */
  readonly about?: () => string
}

/** Looks until it is so; says what it was waiting for, when it never is. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  { what, withinMs, lookEveryMs = 50, about = () => '' }: Until,
): Promise<void> {
  for (const endsAt = systemClock.now() + withinMs; !(await isSo()); await pause(lookEveryMs)) {
    if (systemClock.now() > endsAt) throw new Error(`waited ${withinMs / 1000} s for ${what}. ${about()}`)
  }
}
