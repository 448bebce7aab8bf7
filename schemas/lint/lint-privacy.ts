/** Holds fields to their `pii` tags: what looks personal has one, what has one can be sealed, secrets do not spread. */
import { objectAt } from '../compatibility/json-at.ts'
import type { ParsedSchema } from '../compatibility/parse-schema-text.ts'
import type { FieldNode, SchemaNode } from '../compatibility/schema-model.ts'
import { isPii, piiTreatment } from '../pii-treatment.ts'
import { personalMeaning } from './pii-names.ts'
import type { ReportRemark } from './remark.ts'

interface Context {
  /** The fields that lead there. */
  readonly at: string
  /** The record that has the field. */
  readonly within: string
  readonly subject: string
  readonly parsed: ParsedSchema
  readonly secretsAllowed: boolean
}

export function lintPrivacy(field: FieldNode, context: Context, report: ReportRemark): void {
  const { at, within, subject, parsed, secretsAllowed } = context
  const pii = objectAt(parsed.schema, field.pointer)?.pii
  const tag = { pointer: `${field.pointer}/pii`, field: at }
  if (pii === undefined) {
    const meaning = leaves(field.type).some(isSealable) ? personalMeaning(field.name, within) : undefined
    if (meaning !== undefined) {
      const name = { pointer: `${field.pointer}/name`, field: at }
      report('PII_UNTAGGED', name, `field "${at}" seems to hold ${meaning} and has no pii tag`)
    }
    return
  }
  if (!isPii(pii)) {
    report(
      'PII_TAG_UNKNOWN',
      tag,
      `field "${at}" has the pii tag ${JSON.stringify(pii)}, which nothing acts on`,
    )
    return
  }
  const treatment = piiTreatment[pii]
  if (!leaves(field.type).every(isSealable)) {
    const message = `field "${at}" is to be ${treatment.stored} and is no text or bytes`
    report('PII_UNSEALABLE', tag, message)
  }
  if (treatment.spreads === 'listed' && !secretsAllowed) {
    report('PII_SECRET_SPREADS', tag, `field "${at}" is a secret, and ${subject} is not listed for secrets`)
  }
}

/** The types a value of this one can be made of, null left out; a record is a leaf here, its fields have tags of their own. */
function leaves(node: SchemaNode): readonly SchemaNode[] {
  switch (node.kind) {
    case 'null':
      return []
    case 'union':
      return node.branches.flatMap(leaves)
    case 'array':
      return leaves(node.items)
    case 'map':
      return leaves(node.values)
    default:
      return [node]
  }
}

const isSealable = ({ kind, logical }: SchemaNode): boolean =>
  (kind === 'string' || kind === 'bytes') && !logical
