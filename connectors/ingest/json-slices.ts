/**
 * Takes JSON apart without reading its values: items and members come back as the very text that stood there, so
 * that 19-digit numbers and the order of members survive. The text has to be one that `JSON.parse` accepts.
 */

/** The items of the array that the text is. */
export function arrayItems(text: string): string[] {
  const items: string[] = []
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (text[at] !== ']') {
    const end = endOfValue(text, at)
    items.push(text.slice(at, end))
    at = skipComma(text, end)
  }
  return items
}

/** The members of the object that the text is; of equal names the last one, as with `JSON.parse`. */
export function objectMembers(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (text[at] !== '}') {
    const nameEnd = endOfText(text, at)
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = endOfValue(text, start)
    members.set(String(JSON.parse(text.slice(at, nameEnd))), text.slice(start, end))
    at = skipComma(text, end)
  }
  return members
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at += 1
  return at
}

function skipComma(text: string, from: number): number {
  const at = skipSpace(text, from)
  return text[at] === ',' ? skipSpace(text, at + 1) : at
}

/** The end of the text in quotes that starts here. */
function endOfText(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

const scalarEnd = /[,}\]\s]|$/g

function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return endOfText(text, start)
  if (first !== '{' && first !== '[') {
    scalarEnd.lastIndex = start
    return scalarEnd.exec(text)?.index ?? text.length
  }
  let depth = 0
  for (let at = start; ; ) {
    const letter = text[at]
    if (letter === '"') {
      at = endOfText(text, at)
      continue
    }
    if (letter === '{' || letter === '[') depth += 1
    if (letter === '}' || letter === ']') depth -= 1
    at += 1
    if (depth === 0) return at
  }
}
