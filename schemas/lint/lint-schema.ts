/**
 * Lints one schema: docs, nullability, enum defaults, times, names, and the tags of what is about people. What a
 * schema means is the checker's business; this is about how it will age.
 */
import { objectAt } from '../compatibility/json-at.ts'
import { directionsOf, type Level } from '../compatibility/levels.ts'
import type { ParsedSchema } from '../compatibility/parse-schema-text.ts'
import { type FieldNode, isNamed, type NamedNode, type SchemaNode } from '../compatibility/schema-model.ts'
import { lintPrivacy } from './lint-privacy.ts'
import { lintRules } from './lint-rules.ts'
import type { Remark, ReportRemark } from './remark.ts'

/** What is linted, and what the folder says about its subject. */
export interface LintInput {
  readonly subject: string
  readonly version: number
  readonly level: Level
  readonly parsed: ParsedSchema
  /** Whether the subject is listed as one that may carry secrets. */
  readonly secretsAllowed: boolean
}

/** Lints a schema; remarks in the order of the text. */
export function lintSchema(input: LintInput): readonly Remark[] {
  const { parsed, subject, version } = input
  const remarks: Remark[] = []
  const report: ReportRemark = (rule, { pointer, field }, message, mend = lintRules[rule].mend) => {
    const { severity } = lintRules[rule]
    const place = parsed.positions.of(pointer)
    remarks.push({ rule, severity, message, mend, place, subject, since: version, ...(field && { field }) })
  }
  lintNamespace(input, report)
  const seen = new Set<number>()
  const visit = (node: SchemaNode, path: string): void => {
    for (const inner of innerTypes(node)) visit(inner, path)
    if (!isNamed(node) || seen.has(node.id)) return
    seen.add(node.id)
    lintNamed(node, path, input, report)
    if (node.kind !== 'record') return
    for (const field of node.fields) {
      const at = path === '' ? field.name : `${path}.${field.name}`
      lintField(field, at, parsed, report)
      lintPrivacy(field, { at, within: node.name, ...input }, report)
      visit(field.type, at)
    }
  }
  visit(parsed.model.root, '')
  return remarks.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
}

/** The types that stand in one without a name of their own. */
function innerTypes(node: SchemaNode): readonly SchemaNode[] {
  if (node.kind === 'array') return [node.items]
  if (node.kind === 'map') return [node.values]
  return node.kind === 'union' ? node.branches : []
}

/** A domain and a name: dev.waybill. */
const reverseDns = /^[a-z][a-z0-9]*(\.[a-z][a-z0-9_]*)+$/

function lintNamespace({ parsed }: LintInput, report: ReportRemark): void {
  const root = objectAt(parsed.schema, '')
  const { root: node } = parsed.model
  if (!root || !isNamed(node)) return
  const dot = node.fullName.lastIndexOf('.')
  const namespace = dot < 0 ? '' : node.fullName.slice(0, dot)
  if (reverseDns.test(namespace)) return
  const at = { pointer: root.namespace === undefined ? '/name' : '/namespace', field: '' }
  report(
    'LINT_NAMESPACE',
    at,
    namespace === '' ? `${node.name} has no namespace` : `the namespace "${namespace}" is not reverse DNS`,
  )
}

function lintNamed(node: NamedNode, path: string, { parsed, level }: LintInput, report: ReportRemark): void {
  const at = { pointer: node.pointer, field: path }
  const json = objectAt(parsed.schema, node.pointer)
  if (!isText(json?.doc)) {
    report(
      'LINT_DOC_MISSING',
      { ...at, pointer: `${node.pointer}/name` },
      `${node.kind} ${node.name} has no doc`,
    )
  }
  if (!/^[A-Z][A-Za-z0-9]*$/.test(node.name)) {
    report(
      'LINT_NAMING',
      { ...at, pointer: `${node.pointer}/name` },
      `the ${node.kind} ${node.name} is not PascalCase`,
      `call it ${pascal(node.name)}`,
    )
  }
  if (node.kind !== 'enum') return
  const symbols = [...node.symbols]
  const uniform = [/^[A-Z][A-Z0-9_]*$/, /^(UNKNOWN|[a-z][a-z0-9_]*)$/]
  if (!uniform.some((style) => symbols.every((symbol) => style.test(symbol)))) {
    report(
      'LINT_NAMING',
      { ...at, pointer: `${node.pointer}/symbols` },
      `the symbols of ${node.name} differ in style`,
    )
  }
  // Where old readers never meet new records, an unknown symbol cannot occur.
  if (node.default === undefined && directionsOf(level).includes('forward')) {
    const message = `enum ${node.name} has no default, and ${level} wants old readers to read new symbols`
    report('LINT_ENUM_DEFAULT_MISSING', { ...at, pointer: `${node.pointer}/symbols` }, message)
  }
}

function lintField(field: FieldNode, at: string, parsed: ParsedSchema, report: ReportRemark): void {
  const here = { pointer: field.pointer, field: at }
  const name = { pointer: `${field.pointer}/name`, field: at }
  if (!isText(objectAt(parsed.schema, field.pointer)?.doc)) {
    report('LINT_DOC_MISSING', name, `field "${at}" has no doc`)
  }
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(field.name)) {
    report('LINT_NAMING', name, `field "${at}" is not snake_case`, `call it ${snake(field.name)}`)
  }
  const { type } = field
  if (type.kind === 'union') {
    const nullAt = type.branches.findIndex(({ kind }) => kind === 'null')
    if (nullAt > 0) {
      report(
        'LINT_NULL_NOT_FIRST',
        { ...here, pointer: `${field.pointer}/type` },
        `field "${at}" has null, and not first`,
      )
    }
    if (nullAt === 0 && !field.hasDefault) {
      report('LINT_NULL_DEFAULT_MISSING', name, `field "${at}" is nullable and has no default`)
    }
  }
  if (isTimeName(field.name) && isBareNumber(type)) {
    const message = `field "${at}" is named like a time and is a bare ${bareKind(type)}`
    report('LINT_TIME_UNTYPED', { ...here, pointer: `${field.pointer}/type` }, message)
  }
}

const isTimeName = (name: string): boolean => /(^|_)(at|since|until|timestamp|datetime)$/.test(name)

const alternatives = (type: SchemaNode): readonly SchemaNode[] =>
  type.kind === 'union' ? type.branches.filter(({ kind }) => kind !== 'null') : [type]

const isBareNumber = (type: SchemaNode): boolean =>
  alternatives(type).some(({ kind, logical }) => (kind === 'long' || kind === 'int') && !logical)

const bareKind = (type: SchemaNode): string => alternatives(type)[0]?.kind ?? type.kind

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''

const snake = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/_+/g, '_')
    .toLowerCase()

const pascal = (name: string): string =>
  name
    .split(/[_-]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
