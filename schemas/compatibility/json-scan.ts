/** Finds where the scalars of JSON end. */

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const wordPattern = /[A-Za-z_][\w-]*/y
const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** A number, true, false or null: its end, or -1 when there is none here; a word that it is not is named. */
export function scanScalar(
  text: string,
  start: number,
): { readonly end: number; readonly value?: unknown; readonly word?: string } {
  numberPattern.lastIndex = start
  const number = numberPattern.exec(text)?.[0]
  if (number !== undefined) return { end: start + number.length, value: Number(number) }
  wordPattern.lastIndex = start
  const word = wordPattern.exec(text)?.[0]
  if (word === undefined) return { end: -1 }
  return words.has(word) ? { end: start + word.length, value: words.get(word) } : { end: -1, word }
}

/**
 * The offset behind the closing quote of the string that starts at `start`, or -1 when its line ends first; and
 * whether it stands for itself, without escapes.
 */
export function scanString(text: string, start: number): { readonly end: number; readonly plain: boolean } {
  let plain = true
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return { end: at + 1, plain }
    if (code === 0x0a || code === 0x0d) break
    if (code === 0x5c) at++
    if (code === 0x5c || code < 0x20) plain = false
  }
  return { end: -1, plain }
}
