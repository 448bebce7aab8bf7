/** The receivers in other languages, where those are installed; the one for Python with its public package. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { checkExample } from './example-receivers.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-receivers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const runs = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0

/** A Python of its own with the package in it; `undefined` where there is no Python, or no way to packages. */
function pythonWithPackage(): string | undefined {
  const python = join(folder, 'bin/python')
  const made =
    runs('python3', '-m', 'venv', folder) &&
    runs(python, '-m', 'pip', 'install', '-q', 'standardwebhooks==1.1.0')
  return made && existsSync(python) ? python : undefined
}

describe('the receiver', { timeout: 300_000 }, () => {
  it('for Python verifies, refuses and de-duplicates', async ({ skip }) => {
    const python = pythonWithPackage()
    if (python === undefined) return skip('there is no python3 with pip that reaches its packages')
    await checkExample({ folder: 'python', command: python, args: ['receiver.py'] })
  })

  it('for Go verifies, refuses and de-duplicates', async ({ skip }) => {
    if (!runs('go', 'version')) return skip('there is no go')
    await checkExample({ folder: 'go', command: 'go', args: ['run', 'receiver.go'] })
  })

  it('for Java verifies, refuses and de-duplicates', async ({ skip }) => {
    if (!runs('java', '-version')) return skip('there is no java')
    await checkExample({ folder: 'java', command: 'java', args: ['Receiver.java'] })
  })
})
