/** Follows a JSON pointer into parsed JSON. */
import { pointerTokens } from './places.ts'

/** What a pointer names, or undefined. */
function jsonAt(json: unknown, pointer: string): unknown {
  let value = json
  for (const token of pointerTokens(pointer)) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.getOwnPropertyDescriptor(value, token)?.value
  }
  return value
}

/** The same, where it is an object. */
export function objectAt(json: unknown, pointer: string): Readonly<Record<string, unknown>> | undefined {
  const value = jsonAt(json, pointer)
  return isObject(value) ? value : undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
