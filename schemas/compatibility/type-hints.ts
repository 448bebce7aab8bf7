/** What to write instead of a type that Avro does not know. */
import { simpleName } from './names.ts'

/** What people write who come from elsewhere. */
const hints: ReadonlyMap<string, string> = new Map([
  ['bool', '"boolean"'],
  ['integer', '"int"'],
  ['number', '"long" or "double"'],
  ['text', '"string"'],
  ['str', '"string"'],
  ['timestamp', '{"type": "long", "logicalType": "timestamp-millis"}'],
  ['datetime', '{"type": "long", "logicalType": "timestamp-millis"}'],
  ['date', '{"type": "int", "logicalType": "date"}'],
  ['uuid', '{"type": "string", "logicalType": "uuid"}'],
  ['decimal', '{"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}'],
  ['list', '{"type": "array", "items": …}'],
  ['object', 'a record or a map'],
])

/** A mend for an unknown type, from the full names that are defined and from what people usually mean. */
export function typeHint(name: string, fullNames: Iterable<string>): string {
  const simple = simpleName(name)
  for (const fullName of fullNames) {
    if (simpleName(fullName) === simple) {
      return `write "${fullName}": the type of that name is in another namespace`
    }
  }
  const hint = hints.get(simple.toLowerCase())
  return hint ? `write ${hint}` : 'mend the name, or define the type here'
}
