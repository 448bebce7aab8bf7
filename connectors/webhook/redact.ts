/** Makes what a receiver answered fit to be kept: short, printable, and without what we sent in confidence. */

/** Kept of a response, in characters. */
export const keptCharactersMax = 512

/**
 * Looked at before cutting, so that a secret across the cut is still found whole. Replacements are as long as what
 * they replace: nothing from behind moves forward.
 */
const examinedCharactersMax = 4 * keptCharactersMax

/** As many digits in a row may be an OTP or part of a phone number, whoever they belong to. */
const digitRun = /\d{5,}/g

// Control characters would let a response paint on an operator's terminal.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]+/gu

/** The first characters of a text, with secrets and long digit runs replaced by `x`. */
export function redact(text: string, secrets: readonly string[]): string {
  let examined = text.slice(0, examinedCharactersMax)
  for (const secret of secrets) {
    if (secret !== '') examined = examined.replaceAll(secret, 'x'.repeat(secret.length))
  }
  return examined
    .replace(digitRun, (digits) => 'x'.repeat(digits.length))
    .slice(0, keptCharactersMax)
    .replace(unprintable, ' ')
    .trim()
}
