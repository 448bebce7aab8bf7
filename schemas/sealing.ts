/**
 * Sealing of secrets and personal data: AES-256-GCM with key ids, as text (`sealed:<key id>:<base64>`) and as
 * bytes. The key id is authenticated too, so that nobody can point sealed text at another key.
 */
import { type CipherGCM, createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { SealingError } from './errors.ts'

/** Seals with the active key; opens whatever is sealed with any of its keys. */
export interface Sealer {
  /** `sealed:<key id>:<base64>`. The same text sealed twice gives two different results. */
  seal(text: string): string
  /** Throws `SealingError`: not sealed, key missing (its id is named), or changed since. */
  open(sealed: string): string
  /** Null stays null. */
  sealNullable(text: string | null): string | null
  /** Null stays null. */
  openNullable(sealed: string | null): string | null
  /** Whether text looks sealed; says nothing about whether it can be opened. */
  isSealed(text: string): boolean
  /** Whether text is sealed with the key that seals now. */
  isCurrent(sealed: string): boolean
  sealBytes(bytes: Uint8Array): Uint8Array
  /** Throws `SealingError`, like `open`. */
  openBytes(sealed: Uint8Array): Uint8Array
  /** 32 bytes that only holders of the active key can make, the same ones for the same purpose each time. */
  derive(purpose: string): Uint8Array
  readonly keyIds: readonly string[]
}

/** A key and the id under which sealed text names it. */
export interface SealingKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** What a sealer is made of. */
export interface SealerOptions {
  readonly keys: readonly SealingKey[]
  /** The id of the key that seals. */
  readonly active: string
  /** Draws the nonces. Seeded ones are for tests alone: a nonce used twice breaks the cipher. */
  readonly random: { bytes(size: number): Uint8Array }
}

const prefix = 'sealed:'
const nonceBytes = 12
const tagBytes = 16

/** Sealed bytes begin with this, then the length of the key id (one byte), the key id, nonce, tag, ciphertext. */
const bytesMagic = 0x5e

/** Random nonces are drawn this many at a time: drawing costs more than sealing a short text. */
const noncesPerDraw = 256

/** Makes a sealer. Throws when a key is not usable or the active one is not among them. */
export function makeSealer({ keys, active, random }: SealerOptions): Sealer {
  for (const { id, key } of keys) assertKey(id, key)
  const byId = new Map(keys.map(({ id, key }) => [id, { key, aad: Buffer.from(prefix + id) }]))
  if (byId.size !== keys.length) throw new Error('two sealing keys have the same id; give each its own')
  const sealing = byId.get(active)
  if (!sealing)
    throw new Error(
      `the active sealing key "${active}" is not among the keys: ${[...byId.keys()].join(', ')}`,
    )
  const textHead = `${prefix}${active}:`
  const bytesHead = Buffer.from([bytesMagic, active.length, ...Buffer.from(active)])
  const nextNonce = makeNonces(random)

  const encrypt = (plain: Uint8Array | string): Buffer => {
    const nonce = nextNonce()
    const cipher: CipherGCM = createCipheriv('aes-256-gcm', sealing.key, nonce)
    cipher.setAAD(sealing.aad)
    const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
    cipher.final()
    return Buffer.concat([nonce, cipher.getAuthTag(), body])
  }

  const decrypt = (id: string, box: Uint8Array): Buffer => {
    const found = byId.get(id)
    if (!found) {
      throw new SealingError(
        'missing_key',
        id,
        `the sealing key "${id}" is not in the key file; put it back, it is still in use`,
      )
    }
    if (box.length < nonceBytes + tagBytes) throw new SealingError('tampered', id, 'sealed data is cut short')
    const decipher = createDecipheriv('aes-256-gcm', found.key, box.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    })
    decipher.setAAD(found.aad)
    decipher.setAuthTag(box.subarray(nonceBytes, nonceBytes + tagBytes))
    const plain = decipher.update(box.subarray(nonceBytes + tagBytes))
    try {
      decipher.final()
    } catch (cause) {
      throw new SealingError(
        'tampered',
        id,
        `data sealed with key "${id}" was changed, or the key is another one`,
        { cause },
      )
    }
    return plain
  }

  const open = (sealed: string): string => {
    const colon = sealed.indexOf(':', prefix.length)
    if (!sealed.startsWith(prefix) || colon < 0)
      throw new SealingError('not_sealed', undefined, 'the text is not sealed')
    return decrypt(
      sealed.slice(prefix.length, colon),
      Buffer.from(sealed.slice(colon + 1), 'base64'),
    ).toString('utf8')
  }

  const openBytes = (sealed: Uint8Array): Uint8Array => {
    const idEnd = 2 + (sealed[1] ?? 0)
    if (sealed[0] !== bytesMagic || sealed.length < idEnd) {
      throw new SealingError('not_sealed', undefined, 'the bytes are not sealed')
    }
    return decrypt(Buffer.from(sealed.subarray(2, idEnd)).toString('utf8'), sealed.subarray(idEnd))
  }

  const seal = (text: string): string => textHead + encrypt(text).toString('base64')

  return Object.freeze({
    seal,
    open,
    sealNullable: (text) => (text === null ? null : seal(text)),
    openNullable: (sealed) => (sealed === null ? null : open(sealed)),
    isCurrent: (sealed) => sealed.startsWith(textHead),
    isSealed: (text) => text.startsWith(prefix) && text.indexOf(':', prefix.length) > 0,
    sealBytes: (bytes) => Buffer.concat([bytesHead, encrypt(bytes)]),
    openBytes,
    // No salt: the key is random already, and all instances have to come to the same bytes.
    derive: (purpose) => new Uint8Array(hkdfSync('sha256', sealing.key, '', `waybill ${purpose}`, 32)),
    keyIds: Object.freeze([...byId.keys()]),
  } satisfies Sealer)
}

/** What sealing adds to `length` bytes under the key of that id. */
export const sealedBytesLength = (length: number, keyId: string): number =>
  2 + keyId.length + nonceBytes + tagBytes + length

/** How everything begins that the key of that id sealed, as text and as bytes: for looking through records. */
export function sealedMarks(keyId: string): readonly Buffer[] {
  const id = Buffer.from(keyId)
  return [Buffer.from(`${prefix}${keyId}:`), Buffer.concat([Buffer.from([bytesMagic, id.length]), id])]
}

/** Whether text or bytes begin as what is sealed does. Nothing was sealed where there is nothing. */
export function isSealedValue(value: string | Uint8Array): boolean {
  if (value.length === 0) return true
  return typeof value === 'string' ? value.startsWith(prefix) : value[0] === bytesMagic
}

/** Throws when an id or a key cannot be used. Ids stand in sealed text, so they hold no colon. */
export function assertKey(id: string, key: Uint8Array): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
    throw new Error(`"${id}" is no sealing key id; use 1 to 64 letters, digits, "-" and "_"`)
  }
  if (key.length !== 32) throw new Error(`the sealing key "${id}" has ${key.length} bytes; AES-256 takes 32`)
}

function makeNonces(random: SealerOptions['random']): () => Uint8Array {
  let drawn = random.bytes(0)
  let used = 0
  return () => {
    if (used + nonceBytes > drawn.length) {
      drawn = random.bytes(nonceBytes * noncesPerDraw)
      used = 0
    }
    used += nonceBytes
    return drawn.subarray(used - nonceBytes, used)
  }
}
