/** The repository's source files and what they import, for the tidy checks. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const skippedFolders = new Set(['node_modules', 'dist', '.git', 'coverage', '.waybill', '.stack', 'data'])

/** Paths from the root, with forward slashes. */
export function filesBelow(folder: string, matches: (name: string) => boolean): string[] {
  const found: string[] = []
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (skippedFolders.has(entry.name)) continue
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) found.push(...filesBelow(path, matches))
    else if (matches(entry.name)) found.push(relative(root, join(root, path)))
  }
  return found.sort()
}

export interface SourceFile {
  readonly path: string
  readonly text: string
}

export const readSource = (path: string): SourceFile => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
})

/** The relative imports of a file as paths from the root; packages are left out. */
export function importsOf({ path, text }: SourceFile): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[\w\s{},*$]*?from\s+['"](\.{1,2}\/[^'"]+)['"]|\bimport\(\s*['"](\.{1,2}\/[^'"]+)['"]/g
  return [...text.matchAll(pattern)].map((match) =>
    posix.normalize(posix.join(dirname(path), match[1] ?? match[2] ?? '')),
  )
}

export const topFolder = (path: string): string => path.split('/')[0] ?? ''

export const isTest = (path: string): boolean =>
  /\.(test|contract)\.ts$/.test(path) || path.includes('/testing/') || path.startsWith('test/')
