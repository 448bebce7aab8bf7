/** Opens the sealing keys of a data directory, or makes them when there is nothing yet that was sealed. */
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
  /** Whether there is data that was sealed before: without its keys, new ones would only hide the loss. */
  readonly holdsSealedData: boolean
  /** False: keys that are missing are an error, for a service must not begin with keys that nobody has kept. */
  readonly mayMake: boolean
  readonly clock: Clock
  readonly random: Random
}

/** The sealer, and whether its key was made just now. */
export function openKeys(options: OpenKeysOptions): { sealer: Sealer; made: boolean } {
  const { keyFile, random } = options
  const text = readPrivateFile(keyFile)
  if (text !== undefined) return { sealer: makeSealer({ ...parse(text, keyFile), random }), made: false }
  if (options.holdsSealedData) {
    throw new CliError(exitCode.usage, {
      what: 'the key file is missing, and the data directory holds data that it sealed',
      place: { file: keyFile },
      mend: 'restore the key file, or begin anew with another --data-dir',
    })
  }
  if (!options.mayMake) {
    throw new CliError(exitCode.usage, {
      what: 'there is no key file',
      place: { file: keyFile },
      mend: `make one with \`waybill keys new ${keyFile}\`, and keep a copy as safe as the data`,
    })
  }
  // When another process was faster, its keys count.
  const fresh = makeKeyFile(keyFile, options)
  return fresh ? { sealer: makeSealer({ ...fresh, random }), made: true } : openKeys(options)
}

/** What a key file that must be there says. */
export function readKeyFile(keyFile: string): KeyFile {
  const text = readPrivateFile(keyFile)
  if (text !== undefined) return parse(text, keyFile)
  throw new CliError(exitCode.usage, {
    what: 'there is no key file',
    place: { file: keyFile },
    mend: 'name it with --key-file, WAYBILL_KEY_FILE or --config',
  })
}

/** Writes a file with one new key, for its owner alone; `undefined` when there is a file already: it is kept. */
export function makeKeyFile(
  keyFile: string,
  { clock, random }: Pick<OpenKeysOptions, 'clock' | 'random'>,
): KeyFile | undefined {
  const createdAt = clock.now()
  const fresh = newKeyFile({ id: `k${new Date(createdAt).toISOString().slice(0, 10)}`, random, createdAt })
  return writePrivateFile(keyFile, serializeKeyFile(fresh), { exclusive: true }) ? fresh : undefined
}

function parse(text: string, keyFile: string): KeyFile {
  try {
    return parseKeyFile(text, keyFile)
  } catch (cause) {
    const what = `this is not a key file: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new CliError(exitCode.usage, { what, mend: 'restore it from a backup' }, { cause })
  }
}
