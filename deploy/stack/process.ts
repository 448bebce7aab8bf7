/**
 * The processes of the stack: started into the background with their pid and log in a folder of their own, found
 * again by a later run, and stopped by pid. A pid whose process is another one by now is never touched.
 */
import { type SpawnOptions, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StackError } from './stack-error.ts'
import { waitUntil } from './waiting.ts'

export interface ProcessOptions {
  /** What it is called in messages. */
  readonly name: string
  /** Takes `pid` and `output.log`; made when it is not there. */
  readonly directory: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly identity?: { readonly uid: number; readonly gid: number }
  /** Whether it serves by now. */
  readonly ready: () => Promise<boolean> | boolean
  readonly timeoutMs?: number
}

const defaultTimeoutMs = 90_000
/** A clean stop of a broker takes about two seconds; of a worker that has to leave its group, more. */
const stopTimeoutMs = 20_000

/** Starts it and waits until it is ready; does nothing when it runs already. */
export async function startProcess(options: ProcessOptions): Promise<number> {
  const { name, directory, timeoutMs = defaultTimeoutMs } = options
  const running = pidIn(directory)
  if (running !== undefined) return running
  mkdirSync(directory, { recursive: true })
  const log = join(directory, 'output.log')
  const pid = launch(options, log)
  const isThere = await waitUntil(options.ready, {
    timeoutMs,
    givenUp: () => pidIn(directory) === undefined,
  })
  if (isThere) return pid
  const ended = pidIn(directory) === undefined
  await stopProcess(directory)
  throw new StackError(
    `${name} ${ended ? 'ended while it started' : `did not start within ${timeoutMs / 1000} s`}: ${lastLines(log)}`,
    `see ${log}`,
  )
}

function launch({ name, directory, command, args, env, cwd, identity }: ProcessOptions, log: string): number {
  const output = openSync(log, 'a')
  const settings: SpawnOptions = {
    // A group of its own: Ctrl-C in the terminal is not meant for it.
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
    ...identity,
  }
  const child = spawn(command, [...args], settings)
  closeSync(output)
  // Reported by the missing pid; without a listener it would end this process.
  child.once('error', () => undefined)
  if (child.pid === undefined)
    throw new StackError(`${name} cannot be started: ${command}`, 'is it installed?')
  child.unref()
  writeFileSync(join(directory, 'pid'), `${child.pid} ${startOf(child.pid) ?? ''}\n`)
  return child.pid
}

/** The pid of the process that was started from this folder, while it lives. */
export function pidIn(directory: string): number | undefined {
  const file = join(directory, 'pid')
  if (!existsSync(file)) return undefined
  const [text = '', started = ''] = readFileSync(file, 'utf8').trim().split(' ')
  const pid = Number(text)
  if (!isAlive(pid)) return undefined
  return started === '' || startOf(pid) === started ? pid : undefined
}

/** TERM, then KILL when it does not end; with `SIGKILL` at once. Resolves when it is gone. */
export async function stopProcess(
  directory: string,
  signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT' = 'SIGTERM',
): Promise<void> {
  const isGone = () => pidIn(directory) === undefined
  send(pidIn(directory), signal)
  if (!(await waitUntil(isGone, { timeoutMs: stopTimeoutMs }))) send(pidIn(directory), 'SIGKILL')
  await waitUntil(isGone, { timeoutMs: stopTimeoutMs })
  rmSync(join(directory, 'pid'), { force: true })
}

/** Stops it where it stands, or lets it go on: a process that is neither dead nor alive to the others. */
export const signalProcess = (directory: string, signal: 'SIGSTOP' | 'SIGCONT'): void =>
  send(pidIn(directory), signal)

function send(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended by itself in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * A zombie, ended but not yet waited for by its parent, counts as gone; one whose other threads are still ending does
 * not: until the last of them has, its sockets listen.
 */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const status = statusOf(pid)
  return status?.[0] !== 'Z' || Number(status[17]) > 1
}

/** When the system started it, in ticks since boot: tells it from a later process of the same pid. Linux only. */
const startOf = (pid: number): string | undefined => statusOf(pid)?.[19]

/** The fields of /proc/<pid>/stat behind the command's name, which may hold anything. */
function statusOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    // No such process, or a system without /proc.
    return undefined
  }
}

function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.slice(-12).join('\n  ')
}
