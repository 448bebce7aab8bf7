/** What is needed beside partners.yaml itself to read it: the environment, files that it names, and who judges URLs. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Vetting } from '../../connectors/webhook/address-vetting.ts'

/** What is read beside the file itself. */
export interface PartnerSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Judges URLs, as the sender does again before each call. */
  readonly vetting: Vetting
  /** Reads a file that the document names, relative to it; `undefined` when it cannot be read. */
  readFile(path: string): string | undefined
}

/** Reads files beside `path`. Why one cannot be read is for the operator to look at. */
export function filesBeside(path: string): PartnerSources['readFile'] {
  return (named) => {
    try {
      return readFileSync(resolve(dirname(path), named), 'utf8')
    } catch {
      return undefined
    }
  }
}
