/**
 * Secrets in captured values. Text counts as sealed by us only if one of our keys opens it: a customer may call
 * herself `sealed:k1:AAAA`, and neither stopping for her nor trusting her would do. (Sealed text in our own topics
 * is another matter: there a missing key stops the task.)
 */
import { SealingError } from '../../schemas/index.ts'
import { unavailableValue } from './envelope.ts'

/** What NORMALIZE needs of a sealer. */
export interface Sealing {
  seal(text: string): string
  open(sealed: string): string
  isSealed(text: string): boolean
}

/** What the text says: opened if it was sealed by us, else the text itself. */
export function plainOf(text: string, seal: Sealing): string {
  if (!seal.isSealed(text)) return text
  try {
    return seal.open(text)
  } catch (error) {
    if (error instanceof SealingError) return text
    throw error
  }
}

/**
 * The text sealed, without trailing blanks. What we sealed before (an ingest seals before it appends) stays, and so
 * do blank text, which means "none", and what the source left out.
 */
export function ensureSealed(text: string | null, seal: Sealing): string | null {
  if (text === null || text.trim() === '' || text === unavailableValue) return text
  return plainOf(text, seal) === text ? seal.seal(text.trimEnd()) : text
}
