/** Where this checkout lies, seen from the sources and from the build alike. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = checkout(dirname(fileURLToPath(import.meta.url)))

/** The poms, schemas and settings of the services; the build holds none of them. */
export const assets = join(root, 'deploy/stack')

/** Where packages are kept, and the state of `npm run stack`; in no commit. */
export const stackDirectory = process.env.STACK_DIR ?? join(root, '.stack')
export const packagesDirectory = join(stackDirectory, 'packages')

function checkout(folder: string): string {
  if (existsSync(join(folder, 'package-lock.json'))) return folder
  const above = dirname(folder)
  if (above === folder) throw new Error('the stack must be started from a checkout of the repository')
  return checkout(above)
}
