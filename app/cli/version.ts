/** The version of this program, from its package.json: beside the sources, and one folder higher once built. */
import { existsSync, readFileSync } from 'node:fs'

const places = ['../../package.json', '../../../package.json']

/** E.g. `0.1.0`. */
export function programVersion(): string {
  for (const place of places) {
    const url = new URL(place, import.meta.url)
    if (!existsSync(url)) continue
    const { version } = JSON.parse(readFileSync(url, 'utf8')) as { version?: unknown }
    if (typeof version === 'string') return version
  }
  throw new Error('package.json is not where the program expects it')
}
