/** What tests of the embedded database share: directories of their own, and the template that the build makes. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const built = join(root, 'dist/connectors/postgres')

/** How long a hook that prepares the template may take: the first after a new migration makes it anew. */
export const templateTimeoutMs = 120_000

/** Brings the template up to date after a build; without one, the first start of each directory makes its own. */
export async function prepareTemplate(): Promise<void> {
  if (!existsSync(join(built, 'migrate.js'))) return
  await promisify(execFile)(process.execPath, [join(root, 'scripts/prepare-pglite.js')])
}

export interface Scratch {
  directory(): string
  remove(): void
}

/** Directories that are gone at the end. */
export function createScratch(): Scratch {
  const made: string[] = []
  return {
    directory() {
      const directory = mkdtempSync(join(tmpdir(), 'waybill-log-'))
      made.push(directory)
      return directory
    },
    remove() {
      for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
    },
  }
}
