/**
 * JSON as text: parsing that keeps large integers exact, and replacing single members without touching a byte of
 * the rest. Debezium's messages hold 19-digit numbers, which `JSON.parse` alone would round.
 */

/**
 * Like `JSON.parse`, but integers that a double cannot hold come back as text of their digits. `wide` says whether
 * the parsed value shows such a number where it matters; only then the slower way is taken.
 */
export function parseJsonExactly(text: string, wide: (parsed: unknown) => boolean): unknown {
  const parsed: unknown = JSON.parse(text)
  return wide(parsed) ? JSON.parse(quoteWideIntegers(text)) : parsed
}

/**
 * Strings are matched first and kept, so that digits inside them are never taken for numbers; nor are those behind the
 * point or in the exponent of one.
 */
const stringOrWideInteger = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g

function quoteWideIntegers(text: string): string {
  return text.replace(stringOrWideInteger, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${token}"`,
  )
}

/** What is to be done with a member: descend into its object, replace its value by this JSON text, or leave it. */
export type MemberChoice = 'descend' | 'keep' | { readonly replaceBy: string }

/**
 * Walks the members of a JSON object and replaces the values that `choose` picks; every other byte stays. `choose`
 * gets the path of a member and its value as JSON text. The text has to be an object that `JSON.parse` accepts: the
 * walk makes no checks of its own.
 */
export function replaceMembers(
  text: string,
  choose: (path: readonly string[], valueText: () => string) => MemberChoice,
): string {
  const start = skipSpace(text, 0)
  const edits: { from: number; to: number; by: string }[] = []
  walkObject(text, start, [], choose, edits)
  let result = ''
  let position = 0
  for (const { from, to, by } of edits) {
    result += text.slice(position, from) + by
    position = to
  }
  return result + text.slice(position)
}

function walkObject(
  text: string,
  start: number,
  path: readonly string[],
  choose: (path: readonly string[], valueText: () => string) => MemberChoice,
  edits: { from: number; to: number; by: string }[],
): void {
  let at = skipSpace(text, start + 1)
  while (text[at] !== '}') {
    const keyEnd = endOfString(text, at)
    const key = keyOf(text, at, keyEnd)
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const valueEnd = endOfValue(text, valueStart)
    const memberPath = [...path, key]
    const choice = choose(memberPath, () => text.slice(valueStart, valueEnd))
    if (choice === 'descend') {
      if (text[valueStart] === '{') walkObject(text, valueStart, memberPath, choose, edits)
    } else if (choice !== 'keep') {
      edits.push({ from: valueStart, to: valueEnd, by: choice.replaceBy })
    }
    at = skipSpace(text, valueEnd)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
}

/** Keys are seldom escaped, but may be: `"ot\u0070"` is a secret too. */
function keyOf(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1)
  return raw.includes('\\') ? String(JSON.parse(text.slice(start, end))) : raw
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at += 1
  return at
}

function endOfString(text: string, start: number): number {
  const quote = text.indexOf('"', start + 1)
  if (text[quote - 1] !== '\\') return quote + 1
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

const scalarEnd = /[,}\]\s]|$/g

function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return endOfString(text, start)
  if (first !== '{' && first !== '[') {
    scalarEnd.lastIndex = start
    return scalarEnd.exec(text)?.index ?? text.length
  }
  let depth = 0
  for (let at = start; ; ) {
    const letter = text[at]
    if (letter === '"') {
      at = endOfString(text, at)
      continue
    }
    if (letter === '{' || letter === '[') depth += 1
    if (letter === '}' || letter === ']') depth -= 1
    at += 1
    if (depth === 0) return at
  }
}
