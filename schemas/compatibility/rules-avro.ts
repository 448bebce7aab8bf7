/** The rules of Avro's schema resolution: what a registry refuses, named from the side of the person who changed it. */
import type { Rule } from './rule.ts'

/** Rules by id. */
export const avroRules = {
  FIELD_NO_DEFAULT: {
    group: 'avro',
    severity: 'error',
    title: 'A new field has no default',
    why: 'Records that were written before the field existed hold nothing for it. A reader with the new schema has nothing to fill in and fails on each of them: on a replay, and on what still lies in the topic when it is deployed.',
    example: '+ {"name": "slot", "type": "string"}',
    mend: 'Make it nullable with a default: {"name": "slot", "type": ["null", "string"], "default": null}. If older records called it something else, add "aliases": ["old_name"].',
  },
  FIELD_REMOVED: {
    group: 'avro',
    severity: 'error',
    title: 'A field that older readers require is gone',
    why: 'Readers that still run with the older schema look for the field in every record. It has no default there, so they fail on the first record of the new version.',
    example: '- {"name": "order_id", "type": "string"}',
    mend: 'Keep the field. To retire it: first release a version in which it has a default, upgrade all readers to that one, then remove it. A rename keeps the old name as long as there are old readers.',
  },
  TYPE_CHANGED: {
    group: 'avro',
    severity: 'error',
    title: 'A type became another that cannot be read as it',
    why: 'Avro converts int to long, float and double, long to float and double, float to double, and strings to bytes and back. Anything else cannot be read: the reader fails on the first record.',
    example: '- {"name": "amount", "type": "int"}\n+ {"name": "amount", "type": "string"}',
    mend: 'Put the old type back and add a second field for the new form: {"name": "amount_text", "type": ["null", "string"], "default": null}.',
  },
  TYPE_NARROWED: {
    group: 'avro',
    severity: 'error',
    title: 'A number type became a smaller one',
    why: 'Older records may hold values that the new type cannot: Avro never reads a long as int or a double as float, however small the values are.',
    example: '- {"name": "count", "type": "long"}\n+ {"name": "count", "type": "int"}',
    mend: 'Put the wider type back; a range can be held to in code.',
  },
  TYPE_WIDENED: {
    group: 'avro',
    severity: 'error',
    title: 'A number type became a larger one, and older readers cannot follow',
    why: 'New readers read old records, but readers that still run with the older schema fail on new records: they know only the narrow type.',
    example: '- {"name": "count", "type": "int"}\n+ {"name": "count", "type": "long"}',
    mend: 'Under FORWARD or FULL, add a new field of the wider type and fill both until the old readers are gone. Under BACKWARD this change is allowed.',
  },
  NAME_CHANGED: {
    group: 'avro',
    severity: 'error',
    title: 'A record, enum or fixed has another name',
    why: 'Named types match by name. A reader does not take a record called Courier for its Rider unless it lists that name as an alias.',
    example: '- {"type": "record", "name": "Rider", …}\n+ {"type": "record", "name": "Courier", …}',
    mend: 'Put the old name back. An alias ("aliases": ["Rider"], with its namespace) helps readers of the new schema only, so it is enough under BACKWARD and not under FORWARD or FULL.',
  },
  FIXED_SIZE_CHANGED: {
    group: 'avro',
    severity: 'error',
    title: 'A fixed has another size',
    why: 'A fixed is written without its length: a reader that expects another size would read into the next field.',
    example:
      '- {"type": "fixed", "name": "Digest", "size": 16}\n+ {"type": "fixed", "name": "Digest", "size": 32}',
    mend: 'Put the size back, and add a field with a new fixed of another name.',
  },
  ENUM_SYMBOL_REMOVED: {
    group: 'avro',
    severity: 'error',
    title: 'An enum lost a symbol, and has no default',
    why: 'Records with the symbol exist. A reader of the new schema does not know it and has no default symbol to take instead.',
    example: '- "symbols": ["UNKNOWN", "PAID", "VOID"]\n+ "symbols": ["UNKNOWN", "PAID"]',
    mend: 'Keep the symbol, or give the enum a default: "default": "UNKNOWN". Then old records with it are read as UNKNOWN.',
  },
  ENUM_SYMBOL_ADDED: {
    group: 'avro',
    severity: 'error',
    title: 'An enum got a symbol that older readers cannot place',
    why: 'Readers that still run with the older schema fail on the first record with the new symbol, because the enum has no default in their version. An enum that was released without a default can never grow under FORWARD or FULL.',
    example: '- "symbols": ["PAID", "VOID"]\n+ "symbols": ["PAID", "VOID", "REFUNDED"]',
    mend: 'Write the new value into a new string field, or into a new enum that has a default from the start. A default added now helps only the versions after it.',
  },
  UNION_BRANCH_REMOVED: {
    group: 'avro',
    severity: 'error',
    title: 'A union lost a type',
    why: 'Older records hold values of that type, and the new reader has nowhere to put them. The most common case: a field that was nullable is no longer.',
    example:
      '- {"name": "note", "type": ["null", "string"], "default": null}\n+ {"name": "note", "type": "string"}',
    mend: 'Put the type back into the union.',
  },
  UNION_BRANCH_ADDED: {
    group: 'avro',
    severity: 'error',
    title: 'A union got a type that older readers do not know',
    why: 'Readers that still run with the older schema fail on the first record that holds the new type. The most common case: a field that was required becomes nullable.',
    example: '- {"name": "note", "type": "string"}\n+ {"name": "note", "type": ["null", "string"]}',
    mend: 'Leave the field as it is and add a new one with the wider type. Under BACKWARD this change is allowed.',
  },
  FIELD_ALIAS_AMBIGUOUS: {
    group: 'avro',
    severity: 'error',
    title: 'A field and its aliases match more than one field of the other version',
    why: 'A reader cannot know which of the two to take. Java throws, and so a registry answers with an error instead of a verdict.',
    example:
      '{"name": "phone", "aliases": ["mobile", "tel"], …} reads {"name": "mobile", …} and {"name": "tel", …}',
    mend: 'Remove the alias that does not stand for a rename, or give each old field a reader field of its own.',
  },
} as const satisfies Record<string, Rule>
