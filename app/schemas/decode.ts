/** `waybill schemas decode`: what is in the bytes of a record, secrets and personal data masked. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  makeMessageDecoder,
  maskTagged,
  parseSchema,
  type RegisteredSchema,
  SchemaError,
} from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import type { RegistryFlags } from './registry-access.ts'
import { formatOf, type OpenedFolder, openFolder, type SchemaFlags, writeLines } from './schemas-run.ts'

export type DecodeFlags = SchemaFlags & RegistryFlags & { readonly subject?: string }

export async function runDecode(
  named: string,
  flags: DecodeFlags,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const bytes = readBytes(named, surroundings)
  const id = idOf(bytes)
  const found =
    flags.registry === undefined && flags.config === undefined
      ? inFolder(openFolder(flags, surroundings), id)
      : await inRegistry(flags, id, surroundings)
  const decode = makeMessageDecoder({
    idOf: () => id,
    latest: () => found,
    schemaOf: () => found,
  })
  let value: unknown
  try {
    value = maskTagged(parseSchema(found.text, found.subject), decode(bytes))
  } catch (cause) {
    if (!(cause instanceof SchemaError)) throw cause
    const what = `the bytes are no record of ${found.subject} v${found.version}: ${cause.message}`
    const mend = 'look whether they are whole; kcat and consoles print bytes cut or escaped'
    throw new CliError(exitCode.usage, { what, mend }, { cause })
  }
  const { subject, version } = found
  const indent = formatOf(flags, surroundings, ['json']) === 'json' ? undefined : 2
  writeLines(surroundings, [JSON.stringify({ subject, version, id, value }, asJson, indent)])
  return exitCode.ok
}

/** Bytes of Avro are no text. */
function asJson(this: unknown, key: string, value: unknown): unknown {
  const held = typeof this === 'object' && this !== null ? Reflect.get(this, key) : undefined
  return held instanceof Uint8Array ? `base64:${Buffer.from(held).toString('base64')}` : value
}

/** Hex digits, in any of the ways that they are copied from somewhere; else a file with the bytes, or with hex digits. */
function readBytes(named: string, { cwd }: Pick<Surroundings, 'cwd'>): Buffer {
  const path = resolve(cwd, named)
  const hex = hexOf(named)
  if (hex !== undefined && !existsSync(path)) return hex
  try {
    const content = readFileSync(path)
    return (content[0] === 0 ? undefined : hexOf(content.toString('latin1'))) ?? content
  } catch (cause) {
    const mend = 'give hex digits (00 00 00 00 01 …) or the name of a file'
    throw new CliError(
      exitCode.usage,
      { what: 'neither hex digits nor a file that can be read', mend },
      { cause },
    )
  }
}

function hexOf(text: string): Buffer | undefined {
  const digits = text.replaceAll(/0x|\\x|[\s:,]/g, '')
  return digits !== '' && /^([0-9a-f]{2})+$/i.test(digits) ? Buffer.from(digits, 'hex') : undefined
}

function idOf(bytes: Buffer): number {
  if (bytes.length >= 5 && bytes[0] === 0) return bytes.readInt32BE(1)
  throw new CliError(exitCode.usage, {
    what: `a record starts with a zero byte and the id of its schema; these are ${bytes.length} bytes that do not`,
    mend: 'give the whole value; JSON and text need no decoding',
  })
}

/** By ids.json, which is the registry where there is no other. */
function inFolder({ texts, shown }: OpenedFolder, id: number): RegisteredSchema {
  const ids: unknown = JSON.parse(texts.beside('ids.json') ?? '{}')
  const subjects = member(ids, 'subjects')
  for (const [subject, versions] of texts.subjects) {
    for (const { version, text } of versions) {
      if (member(member(member(subjects, subject), `v${version}`), 'id') === id)
        return { id, subject, version, text }
    }
  }
  throw unknownId(id, shown('ids.json'))
}

async function inRegistry(
  flags: RegistryFlags,
  id: number,
  surroundings: Surroundings,
): Promise<RegisteredSchema> {
  const { withRegistry } = await import('./registry-access.ts')
  return withRegistry(flags, surroundings, async (admin) => {
    const found = await admin.schemaById(id)
    if (!found) throw unknownId(id, admin.where)
    return found
  })
}

const unknownId = (id: number, where: string): CliError =>
  new CliError(exitCode.usage, {
    what: `no schema has the id ${id} in ${where}`,
    mend: 'ids are those of one registry: name the one that the writer used with --registry',
  })

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
