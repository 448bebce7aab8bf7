/** Opens the sealing keys of a data directory, or makes them when there is nothing yet that was sealed. */
import { existsSync } from 'node:fs'
import type { Clock, Random } from '../../engine/index.ts'
import {
  type KeyFile,
  makeSealer,
  newKeyFile,
  parseKeyFile,
  type Sealer,
  serializeKeyFile,
} from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

export interface OpenKeysOptions {
  readonly keyFile: string
  /** Where sealed data would lie: with data and without keys, new keys would only hide the loss. */
  readonly sealedData: string
  readonly clock: Clock
  readonly random: Random
}

/** The sealer, and whether its key was made just now. */
export function openKeys(options: OpenKeysOptions): { sealer: Sealer; made: boolean } {
  const { keyFile, random } = options
  const text = readPrivateFile(keyFile)
  if (text !== undefined) return { sealer: makeSealer({ ...parse(text, keyFile), random }), made: false }
  if (existsSync(options.sealedData)) {
    throw new CliError(exitCode.usage, {
      what: 'the key file is missing, and the data directory holds data that it sealed',
      place: { file: keyFile },
      mend: 'restore the key file, or begin anew with another --data-dir',
    })
  }
  const createdAt = options.clock.now()
  const fresh = newKeyFile({ id: `k${new Date(createdAt).toISOString().slice(0, 10)}`, random, createdAt })
  const made = writePrivateFile(keyFile, serializeKeyFile(fresh), { exclusive: true })
  // Another process was faster: its keys count.
  return made ? { sealer: makeSealer({ ...fresh, random }), made } : openKeys(options)
}

function parse(text: string, keyFile: string): KeyFile {
  try {
    return parseKeyFile(text, keyFile)
  } catch (cause) {
    const what = `this is not a key file: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new CliError(exitCode.usage, { what, mend: 'restore it from a backup' }, { cause })
  }
}
