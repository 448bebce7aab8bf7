/** Finds the place of a pointer in a text. The text is looked into when the first place is asked for. */
import type { LocatedJson, Offsets } from './json-document.ts'
import { locateJson } from './json-reader.ts'
import { makeLineIndex } from './lines.ts'
import { type Place, pointerTokens } from './places.ts'

/** Places of one file. */
export interface Positions {
  readonly file: string
  /**
   * The place of what the pointer names, or of the nearest thing around it that is there. A member of an object is
   * shown at its key, an element of a list at its start.
   */
  of(pointer: string): Place
  /** The place of an offset; its pointer is that of the whole document. */
  ofOffset(offset: number): Place
}

/** Makes the positions of a text. */
export function makePositions(file: string, text: string): Positions {
  const lineColumn = makeLineIndex(text)
  let located: LocatedJson | undefined
  return {
    file,
    of(pointer) {
      located ??= locateJson(text)
      return { file, ...lineColumn(offsetOf(located, pointer)), pointer }
    },
    ofOffset: (offset) => ({ file, ...lineColumn(offset), pointer: '' }),
  }
}

function offsetOf(document: LocatedJson, pointer: string): number {
  let offset = document.start
  let value = document.value
  for (const token of pointerTokens(pointer)) {
    const next = childOf(value, document.offsets, token)
    if (!next) return offset
    offset = next.offset
    value = next.value
  }
  return offset
}

function childOf(
  value: unknown,
  offsets: ReadonlyMap<object, Offsets>,
  token: string,
): { readonly offset: number; readonly value: unknown } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const within = offsets.get(value)
  if (within?.kind === 'array' && Array.isArray(value)) {
    const offset = within.values[Number(token)]
    return offset === undefined ? undefined : { offset, value: value[Number(token)] }
  }
  if (within?.kind !== 'object') return undefined
  const offset = within.keys.get(token)
  if (offset === undefined) return undefined
  return { offset, value: Object.getOwnPropertyDescriptor(value, token)?.value }
}
