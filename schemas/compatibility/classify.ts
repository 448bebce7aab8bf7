/**
 * From a reason why a reader fails to the change that somebody made: the rule, a sentence and the mend. Java speaks
 * of readers and writers; people who changed a file want to hear what they did to it.
 */
import type { Incompatibility } from './incompatibility.ts'
import type { Direction } from './levels.ts'
import type { RuleId } from './rules.ts'

/** A reason by itself, out of the unions that hid it, with the reason that a registry names. */
export interface TrueCause {
  readonly reason: Incompatibility
  /** The outermost reason: this is what a registry says. */
  readonly registry: Incompatibility
  readonly fieldPath: string
}

/** So many causes of one subject are told apart; beyond, the schema is another one. */
const causesMax = 200

/** Follows reasons through unions to what is behind them. */
export function trueCauses(reasons: readonly Incompatibility[]): readonly TrueCause[] {
  const found: TrueCause[] = []
  const seen = new Set<Incompatibility>()
  const stack = reasons.map((reason) => ({ reason, registry: reason, fieldPath: reason.fieldPath })).reverse()
  for (let next = stack.pop(); next && found.length < causesMax; next = stack.pop()) {
    const { reason, registry, fieldPath } = next
    if (seen.has(reason)) continue
    seen.add(reason)
    if (reason.causes.length === 0) found.push(next)
    for (const inner of reason.causes.toReversed()) {
      stack.push({ reason: inner, registry, fieldPath: joinFieldPaths(fieldPath, inner.fieldPath) })
    }
  }
  return found
}

function joinFieldPaths(outer: string, inner: string): string {
  if (outer === '' || inner === '') return outer + inner
  return inner.startsWith('[') || inner.startsWith('{') ? outer + inner : `${outer}.${inner}`
}

/** The rule for a reason. `backward`: the new version is the reader. */
export function ruleOf({ type, subject }: Incompatibility, direction: Direction): RuleId {
  const backward = direction === 'backward'
  if (subject.ambiguous) return 'FIELD_ALIAS_AMBIGUOUS'
  if (subject.field !== undefined) return backward ? 'FIELD_NO_DEFAULT' : 'FIELD_REMOVED'
  switch (type) {
    case 'NAME_MISMATCH':
      return 'NAME_CHANGED'
    case 'FIXED_SIZE_MISMATCH':
      return 'FIXED_SIZE_CHANGED'
    case 'MISSING_ENUM_SYMBOLS':
      return backward ? 'ENUM_SYMBOL_REMOVED' : 'ENUM_SYMBOL_ADDED'
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return backward ? 'FIELD_NO_DEFAULT' : 'FIELD_REMOVED'
    case 'TYPE_MISMATCH':
      if (subject.narrower) return backward ? 'TYPE_NARROWED' : 'TYPE_WIDENED'
      if (subject.writerUnion) return backward ? 'UNION_BRANCH_REMOVED' : 'UNION_BRANCH_ADDED'
      return 'TYPE_CHANGED'
    case 'MISSING_UNION_BRANCH':
      if (subject.narrower) return backward ? 'TYPE_NARROWED' : 'TYPE_WIDENED'
      return backward ? 'UNION_BRANCH_REMOVED' : 'UNION_BRANCH_ADDED'
  }
}

/** What happened and what to do, as sentences without the last full stop. */
export interface Explanation {
  readonly message: string
  readonly mend: string
}

/** What the sentences need beside the reason. */
export interface ExplainContext {
  readonly rule: RuleId
  readonly direction: Direction
  readonly fieldPath: string
  /** The JSON of the field that is missing on the other side, from the side that has it. */
  readonly field: Readonly<Record<string, unknown>> | undefined
}

/** Explains one reason. */
export function explain(reason: Incompatibility, context: ExplainContext): Explanation {
  const { rule, direction, fieldPath } = context
  const { subject } = reason
  const [now, before] =
    direction === 'backward'
      ? [subject.readerType, subject.writerType]
      : [subject.writerType, subject.readerType]
  const what = fieldPath ? `field "${fieldPath}"` : 'the schema itself'
  const symbols = (subject.symbols ?? []).slice(0, 10).join(', ')
  switch (rule) {
    case 'FIELD_NO_DEFAULT':
      return { message: `${what} is new and has no default`, mend: defaultMend(context.field) }
    case 'FIELD_REMOVED':
      return {
        message: `${what} is gone, and older readers have no default for it`,
        mend: `put it back: ${shortJson(context.field, 'the field as it was')}; to retire it, give it a default in one version and remove it in a later one`,
      }
    case 'FIELD_ALIAS_AMBIGUOUS':
      return {
        message: `${what} and its aliases match several fields of the ${direction === 'backward' ? 'older' : 'new'} version: ${(subject.ambiguous ?? []).join(', ')}`,
        mend: 'remove the alias that does not stand for a rename',
      }
    case 'NAME_CHANGED':
      return {
        message: `${before} is now ${now}${fieldPath ? ` (${what})` : ''}`,
        mend: nameMend(before, direction),
      }
    case 'FIXED_SIZE_CHANGED':
      return {
        message: `${what}: ${before} is now ${now}`,
        mend: 'put the size back, and add a field with a new fixed for the other size',
      }
    case 'ENUM_SYMBOL_REMOVED':
      return {
        message: `${what}: ${now} no longer has ${symbols}`,
        mend: `keep ${symbols}, or give the enum a default symbol: "default": "…"`,
      }
    case 'ENUM_SYMBOL_ADDED':
      return {
        message: `${what}: ${now} got ${symbols}, and older readers have no default symbol to take instead`,
        mend: 'write the new value into a new field (a string, or an enum with a default from the start)',
      }
    case 'UNION_BRANCH_REMOVED':
      return {
        message: `${what} no longer takes ${before}`,
        mend: `put ${JSON.stringify(before)} back into the union`,
      }
    case 'UNION_BRANCH_ADDED':
      return {
        message: `${what} may now hold ${now}, which older readers do not know`,
        mend: 'leave the field as it was and add a new one with the wider type, nullable and with a default',
      }
    case 'TYPE_NARROWED':
      return {
        message: `${what} was ${before} and is now ${now}`,
        mend: 'put the wider type back',
      }
    case 'TYPE_WIDENED':
      return {
        message: `${what} was ${before} and is now ${now}, which older readers cannot read`,
        mend: 'leave the field as it was and add a new one of the wider type, with a default',
      }
    default:
      return {
        message: `${what} was ${before} and is now ${now}`,
        mend: 'put the old type back and add a new field for the new one, nullable and with a default',
      }
  }
}

function nameMend(before: string, direction: Direction): string {
  const [kind = '', name = before] = before.split(' ')
  const back = `put the name of the ${kind} back: ${name}`
  return direction === 'backward'
    ? `${back}, or add "aliases": ["${name}"] (enough under BACKWARD only)`
    : back
}

/** How to give a field a default, by its type. */
function defaultMend(field: Readonly<Record<string, unknown>> | undefined): string {
  const type = field?.type
  if (Array.isArray(type)) {
    if (type[0] === 'null') return 'add "default": null'
    const others = type.filter((branch) => branch !== 'null')
    return `write "type": ${shortJson(['null', ...others], '["null", …]')}, "default": null`
  }
  const kind = typeof type === 'object' && type !== null && 'type' in type ? type.type : type
  if (kind === 'array') return 'add "default": []'
  if (kind === 'map') return 'add "default": {}'
  if (kind === 'enum' && typeof type === 'object' && type !== null && 'default' in type) {
    return `add "default": ${JSON.stringify(type.default)}`
  }
  return `write "type": ${shortJson(type === undefined ? undefined : ['null', type], '["null", …]')}, "default": null`
}

/** JSON on one line, without docs, or the words instead when it is long. */
function shortJson(value: unknown, instead: string): string {
  if (value === undefined) return instead
  const text = spacedJson(value)
  return text.length <= 120 ? text : instead
}

function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([key]) => key !== 'doc')
  return `{${members.map(([key, part]) => `${JSON.stringify(key)}: ${spacedJson(part)}`).join(', ')}}`
}
