/**
 * Signing secrets that were generated because partners.yaml names none. They live beside the key file, in
 * `endpoint-secrets.json`, readable by the owner alone, and stay the same for ever: a partner has been given them.
 */
import { join } from 'node:path'
import type { Random } from '../../engine/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { isSecret } from './endpoint-fields.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

export interface EndpointSecrets {
  readonly file: string
  generated(endpointId: string): string
  /** Writes the file if secrets were made since it was read; answers for which endpoints. */
  save(): readonly string[]
}

/** 32 bytes: what Standard Webhooks recommends. */
export const makeSecret = (random: Random): string =>
  `whsec_${Buffer.from(random.bytes(32)).toString('base64')}`

/** Opens the secrets of a data directory; without one they are made up anew each time (a dry run signs nothing). */
export function endpointSecrets(dataDirectory: string | undefined, random: Random): EndpointSecrets {
  const file = dataDirectory === undefined ? '' : join(dataDirectory, 'endpoint-secrets.json')
  const secrets = file === '' ? new Map<string, string>() : readSecrets(file)
  const made: string[] = []
  return {
    file,
    generated(endpointId) {
      const known = secrets.get(endpointId)
      if (known !== undefined) return known
      const secret = makeSecret(random)
      secrets.set(endpointId, secret)
      made.push(endpointId)
      return secret
    },
    save() {
      if (file !== '' && made.length > 0) {
        writePrivateFile(file, `${JSON.stringify(Object.fromEntries(secrets), null, 2)}\n`)
      }
      return made.splice(0)
    },
  }
}

function readSecrets(file: string): Map<string, string> {
  const text = readPrivateFile(file)
  if (text === undefined) return new Map()
  const broken = (cause?: unknown) =>
    new CliError(
      exitCode.usage,
      { what: 'this is not a file of signing secrets', place: { file }, mend: 'restore it from a backup' },
      { cause },
    )
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw broken(cause)
  }
  const entries = typeof document === 'object' && document !== null ? Object.entries(document) : undefined
  if (!entries?.every((entry): entry is [string, string] => isSecret(entry[1]))) throw broken()
  return new Map(entries)
}
