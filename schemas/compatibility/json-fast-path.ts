/**
 * Reads JSON with the engine's own parser where that is enough: the text is sound, no key is given twice and nothing
 * nests too deep. That is nearly every text, at a third of the cost of reading it with places in mind.
 */
import { scanString } from './json-scan.ts'

/** The value, where there is nothing to say about the text. */
export function readSoundJson(text: string, nestingMax: number): { readonly value: unknown } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // What is wrong, and where, is for the slower reader to say.
    return undefined
  }
  // JSON.parse keeps one of two equal keys: then there are fewer keys than were written.
  return keysOf(value, nestingMax) === writtenKeys(text) ? { value } : undefined
}

/** How many keys there are in all objects; not a number for what nests too deep. */
function keysOf(value: unknown, depthLeft: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depthLeft === 0) return Number.NaN
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += keysOf(item, depthLeft - 1)
    return count
  }
  const items: unknown[] = Object.values(value)
  for (const item of items) count += 1 + keysOf(item, depthLeft - 1)
  return count
}

/** How many keys are written in sound JSON: strings with a colon behind them. */
function writtenKeys(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = scanString(text, at).end
    let next = text.charCodeAt(at)
    for (let behind = at; next <= 0x20; ) next = text.charCodeAt(++behind)
    if (next === 0x3a) count++
  }
  return count
}
