/** Sealing of secrets and personal data (AES-256-GCM with key ids), as text and as bytes. */

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
  sealBytes(bytes: Uint8Array): Uint8Array
  /** Throws `SealingError`, like `open`. */
  openBytes(sealed: Uint8Array): Uint8Array
  readonly keyIds: readonly string[]
}
