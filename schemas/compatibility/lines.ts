/** Turns offsets in a text into lines and columns. */

/** Line and column of an offset, both from one. */
export interface LineColumn {
  readonly line: number
  readonly column: number
}

/** Indexes a text's lines once, when the first position is asked for. `\n`, `\r\n` and `\r` end a line. */
export function makeLineIndex(text: string): (offset: number) => LineColumn {
  let starts: number[] | undefined
  return (offset) => {
    starts ??= lineStarts(text)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  const ends = /\r\n?|\n/g
  while (ends.exec(text)) starts.push(ends.lastIndex)
  return starts
}
