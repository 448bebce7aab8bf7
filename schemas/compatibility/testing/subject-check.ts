/** Checks schema versions of one subject, for tests: schemas as values in, the report out. */
import { checkSubject } from '../check-subject.ts'
import type { SubjectReport } from '../finding.ts'
import type { Level } from '../levels.ts'

/** A field of a record schema, or what it has besides name and type. */
export type Field = Readonly<Record<string, unknown>>
/** A field. */
export const field = (name: string, type: unknown, more: Field = {}): Field => ({ name, type, ...more })

/** The record that subjects of tests are about. */
export const record = (fields: readonly Field[], more: Field = {}) => ({
  type: 'record',
  name: 'Order',
  namespace: 'dev.waybill',
  fields,
  ...more,
})

/** A field that was there from the first version on. */
export const id = field('id', 'string')

/** A field that may come and go at any level. */
export const note = field('note', ['null', 'string'], { default: null })

/** Checks versions in order, each laid out over lines as `JSON.stringify` does. */
export function check(level: Level, ...schemas: readonly unknown[]): SubjectReport {
  const versions = schemas.map((schema, index) => ({
    version: index + 1,
    file: `order/v${index + 1}.avsc`,
    text: typeof schema === 'string' ? schema : JSON.stringify(schema, null, 2),
  }))
  return checkSubject({ subject: 'order-value', level, versions })
}

/** The rules that were broken, and since which version. */
export const rulesOf = ({ findings }: SubjectReport) => findings.map(({ rule, since }) => `v${since} ${rule}`)
