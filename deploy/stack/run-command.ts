/** Runs a command to its end, with its output kept for when it fails. */
import { spawn } from 'node:child_process'
import { StackError } from './stack-error.ts'

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Written to its standard input. */
  readonly input?: string
  readonly identity?: { readonly uid: number; readonly gid: number }
  /** Told when it fails. */
  readonly mend?: string
}

/** Resolves with what it printed; rejects with a `StackError` that holds the end of it. */
export function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env, input, identity, mend = 'mend that and try again' }: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
      ...identity,
    })
    let printed = ''
    let complained = ''
    child.stdout.on('data', (chunk) => {
      printed += chunk
    })
    child.stderr.on('data', (chunk) => {
      complained += chunk
    })
    child.once('error', (cause) =>
      reject(new StackError(`${command} cannot be run: ${cause.message}`, mend, { cause })),
    )
    child.once('close', (code) => {
      if (code === 0) return resolve(printed)
      const last = `${printed}${complained}`.trim().split('\n').slice(-12).join('\n  ')
      reject(new StackError(`${command} ${args[0] ?? ''} failed with ${code}: ${last}`, mend))
    })
    // A command that ends without reading is told by its exit code.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
  })
}
