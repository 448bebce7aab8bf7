/**
 * Reads a YAML file and remembers where everything stood, so that a problem that is found later, by whoever
 * validates the values, can be told as file and line.
 */
import { readFileSync } from 'node:fs'
import { isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseDocument } from 'yaml'
import { CliError, type Place, type Problem } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'

/** The way to a value from the top of a document: keys of maps, indexes of lists. */
export type YamlPath = readonly (string | number)[]

export interface YamlFile {
  /** As the user named it. */
  readonly file: string
  /** Plain values: maps are objects, lists are arrays. */
  readonly value: unknown
  /** Where the value at `path` stands; what is missing is looked for at the nearest parent that is there. */
  place(path: YamlPath): Place
}

/** Reads `path`; a file that is missing, unreadable or no YAML is a `CliError` that names the line. */
export function readYamlFile(path: string): YamlFile {
  return parseYaml(path, readText(path))
}

/** The same for text at hand. */
export function parseYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const lineAt = (offset: number): number => lines.linePos(offset).line
  const complaints = [...document.errors, ...document.warnings]
  if (complaints.length > 0) {
    throw new CliError(
      exitCode.usage,
      complaints.map(
        (complaint): Problem => ({
          what: `this is not valid YAML: ${complaint.message}`,
          place: { file, line: lineAt(complaint.pos[0]) },
          mend: mendOf(complaint.code),
        }),
      ),
    )
  }
  return {
    file,
    value: toPlain(document, file),
    place(path) {
      const offset = offsetOf(document.contents, path)
      return offset === undefined ? { file } : { file, line: lineAt(offset) }
    },
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const what =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'this is a folder, not a file'
          : `the file cannot be read: ${code ?? String(cause)}`
    const mend = code === 'EACCES' ? 'give yourself the right to read it' : 'check the path'
    throw new CliError(exitCode.usage, { what, place: { file: path }, mend }, { cause })
  }
}

/** Aliases can blow a few lines up to gigabytes; the library stops that, and we say so. */
function toPlain(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown
  } catch (cause) {
    const what = `the aliases cannot be resolved: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new CliError(exitCode.usage, { what, place: { file }, mend: 'write the values out' }, { cause })
  }
}

function mendOf(code: string): string {
  if (code === 'DUPLICATE_KEY') return 'keep one of the two'
  if (code === 'TAB_AS_INDENT') return 'indent with spaces'
  if (code === 'BAD_INDENT') return 'indent everything in one list or map alike'
  return 'mend the line; quotes around the text often help'
}

function offsetOf(top: unknown, path: YamlPath): number | undefined {
  let node: unknown = top
  let offset = startOf(top)
  for (const step of path) {
    const next: { node: unknown; offset: number | undefined } | undefined = stepInto(node, step)
    if (!next) break
    node = next.node
    offset = next.offset ?? offset
  }
  return offset
}

function stepInto(node: unknown, step: string | number) {
  if (isMap(node)) {
    const pair = node.items.find(
      (item: Pair) => isScalar(item.key) && String(item.key.value) === String(step),
    )
    // The key's place, not the value's: the value may stand lines below.
    return pair && { node: pair.value, offset: startOf(pair.key) }
  }
  if (isNode(node) && 'items' in node && Array.isArray(node.items) && typeof step === 'number') {
    const item: unknown = node.items[step]
    return item === undefined ? undefined : { node: item, offset: startOf(item) }
  }
  return undefined
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined)
