/** For tests: a folder of schemas of its own, a git repository around it, and the command run in it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Clock } from '../../../engine/index.ts'
import { capturedSurroundings } from '../../cli/testing/captured-surroundings.ts'
import { runCommand } from '../../main.ts'

/** What a command wrote and how it ended. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface TestFolder {
  readonly path: string
  /** Writes a file; objects as JSON, a member per line. */
  write(path: string, content: string | object): void
  read(path: string): string
  remove(path: string): void
  git(...args: readonly string[]): void
  /** The day that it is, for what is run from now on. */
  setNow(nowMs: number): void
  /** `waybill schemas …` in the folder. */
  schemas(...args: readonly string[]): Promise<Ran>
  close(): void
}

/** Noon of 25 November 2026, always. */
export const fixedNow = Date.UTC(2026, 10, 25, 12)

/** Makes one; `files` are by path. */
export function testFolder(
  files: Readonly<Record<string, string | object>> = {},
  options: { readonly env?: Record<string, string> } = {},
): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'waybill-schemas-'))
  let nowMs = fixedNow
  const stopped: Clock = { now: () => nowMs, at: () => () => undefined }
  const folder: TestFolder = {
    setNow(now) {
      nowMs = now
    },
    path,
    write(name, content) {
      mkdirSync(dirname(join(path, name)), { recursive: true })
      writeFileSync(
        join(path, name),
        typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`,
      )
    },
    read: (name) => readFileSync(join(path, name), 'utf8'),
    remove: (name) => rmSync(join(path, name), { recursive: true }),
    git: (...args) =>
      void execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example', ...args], {
        cwd: path,
        stdio: 'pipe',
      }),
    async schemas(...args) {
      const surroundings = capturedSurroundings({
        cwd: path,
        clock: stopped,
        ...(options.env && { env: options.env }),
      })
      const code = await runCommand(['schemas', ...args], surroundings)
      return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
    },
    close: () => rmSync(path, { recursive: true }),
  }
  for (const [name, content] of Object.entries(files)) folder.write(name, content)
  return folder
}

/** A record with a namespace, docs and these fields. */
export const record = (fields: readonly object[], more: object = {}): object => ({
  ...{ type: 'record', name: 'Order', namespace: 'dev.example', doc: 'An order.', ...more },
  fields,
})

/** A field with a doc. */
export const field = (name: string, type: unknown, more: object = {}): object => ({
  ...{ name, type, doc: `The ${name}.`, ...more },
})
