/** The text of a key file: which sealing keys there are and which one seals. Reading and writing files is the app's. */
import type { SealingKey } from './sealing.ts'
import { assertKey } from './sealing.ts'

/** A sealing key as a key file lists it. */
export interface ListedKey extends SealingKey {
  /** Milliseconds since the epoch; the file holds ISO 8601. */
  readonly createdAt: number
}

/** What a key file says; `keys` and `active` are what `makeSealer` takes. */
export interface KeyFile {
  readonly active: string
  readonly keys: readonly ListedKey[]
}

/** A new key file with one key. Keep it with mode 0600; who has it can open everything. */
export function newKeyFile(options: {
  readonly id: string
  readonly random: { bytes(size: number): Uint8Array }
  readonly createdAt: number
}): KeyFile {
  const key = options.random.bytes(32)
  assertKey(options.id, key)
  return { active: options.id, keys: [{ id: options.id, key, createdAt: options.createdAt }] }
}

/** The file's text. */
export function serializeKeyFile(file: KeyFile): string {
  const keys = file.keys.map(({ id, key, createdAt }) => ({
    id,
    key: Buffer.from(key).toString('base64'),
    created_at: new Date(createdAt).toISOString(),
  }))
  return `${JSON.stringify({ active: file.active, keys }, null, 2)}\n`
}

/** Parses a key file; `where` names it in errors, which never quote a key. */
export function parseKeyFile(text: string, where: string): KeyFile {
  const problem = (what: string): Error =>
    new Error(
      `${where}: ${what}; expected {"active": id, "keys": [{"id", "key" (base64 of 32 bytes), "created_at"}]}`,
    )
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text around the error, which may be a key.
    throw problem('not JSON')
  }
  if (typeof json !== 'object' || json === null) throw problem('not an object')
  if (!('active' in json) || typeof json.active !== 'string') throw problem('"active" is missing')
  if (!('keys' in json) || !Array.isArray(json.keys)) throw problem('"keys" is missing')
  const active = json.active
  const keys = json.keys.map((entry: unknown) => parseKey(entry, problem))
  if (!keys.some((key) => key.id === active)) throw problem(`the active key "${active}" is not listed`)
  return { active, keys }
}

function parseKey(entry: unknown, problem: (what: string) => Error): ListedKey {
  if (typeof entry !== 'object' || entry === null) throw problem('a key is not an object')
  if (!('id' in entry) || typeof entry.id !== 'string') throw problem('a key has no "id"')
  if (!('key' in entry) || typeof entry.key !== 'string') throw problem(`key "${entry.id}" has no "key"`)
  const createdAt = 'created_at' in entry ? Date.parse(String(entry.created_at)) : Number.NaN
  if (Number.isNaN(createdAt)) throw problem(`key "${entry.id}" has no valid "created_at"`)
  const key = Buffer.from(entry.key, 'base64')
  assertKey(entry.id, key)
  return { id: entry.id, key, createdAt }
}
