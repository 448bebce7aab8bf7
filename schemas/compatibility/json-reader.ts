/**
 * Reads JSON and remembers where everything stands. Stricter than `JSON.parse` where a schema would be read
 * differently by different programs (a key given twice), and more helpful where people slip: comments, a byte
 * order mark and trailing commas are each named, and reading goes on behind them to find the rest.
 */
import type { JsonDocument, JsonProblem, LocatedJson, Offsets } from './json-document.ts'
import { readSoundJson } from './json-fast-path.ts'
import { scanScalar, scanString } from './json-scan.ts'
import type { RuleId } from './rules.ts'

/**
 * The largest text that is read. A registry keeps a schema in one record of its topic, 1 MiB by default; twice that
 * leaves room and bounds memory.
 */
export const schemaTextMax = 2 * 1024 * 1024

/** How deep values may nest: what the Java registries' JSON parser (Jackson 2.15 and newer) allows. */
export const nestingMax = 1000

/** Problems beyond this number are the same mistake over and over. */
const problemsMax = 100

/** Reading cannot go on. */
class Unreadable extends Error {
  readonly problem: JsonProblem
  constructor(problem: JsonProblem) {
    super(problem.message)
    this.problem = problem
  }
}

/** Reads a whole text. Never throws: whatever is wrong is among the problems. */
export function readJson(text: string): JsonDocument {
  const sound = text.length <= schemaTextMax ? readSoundJson(text, nestingMax) : undefined
  if (sound) return { value: sound.value, problems: [] }
  const reader = new JsonReader(text, undefined)
  const value = reader.read()
  return { value, problems: reader.problems }
}

/**
 * Reads a text once more, for its offsets: only texts that something is to be said about need them, and to keep them
 * costs as much as to read.
 */
export function locateJson(text: string): LocatedJson {
  const offsets = new Map<object, Offsets>()
  const reader = new JsonReader(text, offsets)
  const value = reader.read()
  return { value, start: reader.start, offsets }
}

class JsonReader {
  readonly problems: JsonProblem[] = []
  /** Where the value starts. */
  start = 0
  private readonly text: string
  private readonly offsets: Map<object, Offsets> | undefined
  private at = 0
  private depth = 0

  constructor(text: string, offsets: Map<object, Offsets> | undefined) {
    this.text = text
    this.offsets = offsets
  }

  read(): unknown {
    try {
      return this.document()
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      this.problems.push(error.problem)
      return undefined
    }
  }

  private document(): unknown {
    if (this.text.length > schemaTextMax) {
      this.stop(
        'SCHEMA_TOO_LARGE',
        `the text has ${this.text.length} characters; at most ${schemaTextMax} are read`,
        'split the schema: a registry would refuse it as well',
        0,
      )
    }
    if (this.text.charCodeAt(0) === 0xfeff) {
      this.note('JSON_BOM', 'the file starts with a byte order mark', 'save it as UTF-8 without one', 0)
      this.at = 1
    }
    this.skipBlank()
    this.start = this.at
    if (this.at >= this.text.length) this.syntax('the file is empty', 'write a schema, or remove the file')
    const value = this.value()
    this.skipBlank()
    if (this.at < this.text.length) {
      this.syntax(`${this.here()} after the end of the schema`, 'remove it, or mend the brackets before it')
    }
    return value
  }

  private value(): unknown {
    const { text } = this
    switch (text[this.at]) {
      case '{':
        return this.nested(() => this.object())
      case '[':
        return this.nested(() => this.array())
      case '"':
        return this.string()
      default:
        return this.numberOrWord()
    }
  }

  private nested(read: () => object): object {
    this.depth++
    if (this.depth > nestingMax) {
      this.stop(
        'JSON_TOO_DEEP',
        `more than ${nestingMax} levels of nesting`,
        'give the inner types names and refer to them',
      )
    }
    const value = read()
    this.depth--
    return value
  }

  private object(): object {
    const value: Record<string, unknown> = {}
    const keys = this.offsets && new Map<string, number>()
    this.items('}', () => {
      const keyAt = this.at
      if (this.text[this.at] !== '"')
        this.syntax(`a key in quotes is expected, found ${this.here()}`, 'write keys in double quotes')
      const key = this.string()
      this.skipBlank()
      if (this.text[this.at] !== ':')
        this.syntax(
          `":" is expected after the key ${JSON.stringify(key)}, found ${this.here()}`,
          'put a colon between key and value',
        )
      this.at++
      this.skipBlank()
      const item = this.value()
      if (Object.hasOwn(value, key)) {
        this.note(
          'JSON_DUPLICATE_KEY',
          `the key ${JSON.stringify(key)} is given twice in one object`,
          'keep one of the two: which one counts differs between programs',
          keyAt,
        )
      }
      // Plain assignment of "__proto__" would set the prototype.
      if (key === '__proto__')
        Object.defineProperty(value, key, {
          value: item,
          enumerable: true,
          configurable: true,
          writable: true,
        })
      else value[key] = item
      keys?.set(key, keyAt)
    })
    if (keys) this.offsets?.set(value, { kind: 'object', keys })
    return value
  }

  private array(): unknown[] {
    const value: unknown[] = []
    const values: number[] | undefined = this.offsets && []
    this.items(']', () => {
      values?.push(this.at)
      value.push(this.value())
    })
    if (values) this.offsets?.set(value, { kind: 'array', values })
    return value
  }

  /** Reads items up to the closing bracket; the opening one is what stands here. */
  private items(close: '}' | ']', item: () => void): void {
    const openedAt = this.at++
    const unclosed = () =>
      this.stop(
        'JSON_SYNTAX',
        `the ${close === '}' ? 'object' : 'array'} that starts here is never closed`,
        `add the missing "${close}"`,
        openedAt,
      )
    this.skipBlank()
    if (this.text[this.at] === undefined) unclosed()
    if (this.text[this.at] === close) {
      this.at++
      return
    }
    for (;;) {
      item()
      this.skipBlank()
      const mark = this.text[this.at]
      if (mark === undefined) unclosed()
      if (mark === close) break
      if (mark !== ',')
        this.syntax(
          `"," or "${close}" is expected, found ${this.here()}`,
          'put a comma between the two, or close the bracket before',
        )
      const commaAt = this.at++
      this.skipBlank()
      if (this.text[this.at] === undefined) unclosed()
      if (this.text[this.at] === close) {
        this.note('JSON_TRAILING_COMMA', `a comma before "${close}"`, 'remove the comma', commaAt)
        break
      }
    }
    this.at++
  }

  private string(): string {
    const start = this.at
    const { end, plain } = scanString(this.text, start)
    if (end < 0)
      this.stop('JSON_SYNTAX', 'the text that starts here is never closed', 'add the missing quote', start)
    this.at = end
    if (plain) return this.text.slice(start + 1, end - 1)
    try {
      return String(JSON.parse(this.text.slice(start, end)))
    } catch {
      this.stop(
        'JSON_SYNTAX',
        'text with a tab, another control character or an unknown escape in it',
        'write \\t for a tab, \\\\ for a backslash',
        start,
      )
    }
  }

  private numberOrWord(): unknown {
    const { end, value, word } = scanScalar(this.text, this.at)
    if (end < 0) {
      this.syntax(
        `a value is expected, found ${this.here()}`,
        word ? `write "${word}" in quotes` : 'write a value here',
      )
    }
    this.at = end
    return value
  }

  private skipBlank(): void {
    const { text } = this
    for (;;) {
      const code = text.charCodeAt(this.at)
      if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) this.at++
      else if (code === 0x2f && (text[this.at + 1] === '/' || text[this.at + 1] === '*')) this.comment()
      else return
    }
  }

  private comment(): void {
    const start = this.at
    this.note('JSON_COMMENT', 'a comment; JSON has none', 'move what it says into "doc"', start)
    const line = this.text[start + 1] === '/'
    const end = this.text.indexOf(line ? '\n' : '*/', start + 2)
    if (end < 0 && !line)
      this.stop('JSON_SYNTAX', 'the comment that starts here is never closed', 'remove it', start)
    this.at = end < 0 ? this.text.length : end + (line ? 1 : 2)
  }

  /** What stands here, for a message. */
  private here(): string {
    const found = this.text.slice(this.at, this.at + 20).split(/[\s,:[\]{}]/)[0] || this.text[this.at]
    return found === undefined ? 'the end of the file' : JSON.stringify(found)
  }

  private note(rule: RuleId, message: string, mend: string, offset: number): void {
    if (this.problems.length < problemsMax) this.problems.push({ rule, message, mend, offset })
  }

  private syntax(message: string, mend: string): never {
    this.stop('JSON_SYNTAX', message, mend)
  }

  private stop(rule: RuleId, message: string, mend: string, offset: number = this.at): never {
    throw new Unreadable({ rule, message, mend, offset })
  }
}
