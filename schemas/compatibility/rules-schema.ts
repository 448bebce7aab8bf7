/** The rules about one schema text by itself, and about the levels of subjects. */
import type { Rule } from './rule.ts'

const schema = { group: 'schema', severity: 'error' } as const
const policy = { group: 'policy', severity: 'error' } as const

/** Rules by id. */
export const schemaRules = {
  JSON_SYNTAX: {
    ...schema,
    title: 'The text is not JSON',
    why: 'No program can read it.',
    example: '{"type": "record" "name": "A"}',
    mend: 'Mend the text at the place given; reading stops there, so there may be more behind it.',
  },
  JSON_BOM: {
    ...schema,
    title: 'The file starts with a byte order mark',
    why: 'JSON has none. Some programs skip it, others refuse the file.',
    example: '\\uFEFF{"type": "record", …}',
    mend: 'Save the file as UTF-8 without byte order mark.',
  },
  JSON_COMMENT: {
    ...schema,
    title: 'A comment in the text',
    why: 'JSON has no comments. Java reads them in schemas, most other programs refuse the file.',
    example: '{"type": "string"} // the order number',
    mend: 'Move what it says into "doc".',
  },
  JSON_TRAILING_COMMA: {
    ...schema,
    title: 'A comma before a closing bracket',
    why: 'JSON does not allow it, and most programs refuse the file.',
    example: '{"type": "string",}',
    mend: 'Remove the comma.',
  },
  JSON_DUPLICATE_KEY: {
    ...schema,
    title: 'A key is given twice in one object',
    why: 'Most programs take the last one silently, some the first. Often it is a default or a doc that was meant for the field beside it.',
    example: '{"name": "a", "type": "int", "default": 0, "default": 1}',
    mend: 'Keep one of the two.',
  },
  JSON_TOO_DEEP: {
    ...schema,
    title: 'More than 1,000 levels of nesting',
    why: 'Registries refuse to parse it.',
    example: '{"type": "array", "items": {"type": "array", "items": …}}',
    mend: 'Give the inner types names and refer to them.',
  },
  SCHEMA_TOO_LARGE: {
    ...schema,
    title: 'The text is larger than 2 MiB',
    why: 'A registry keeps a schema in one record of its topic, 1 MiB by default.',
    example: 'an enum with 100,000 symbols',
    mend: 'Split the schema, or use a string where an enum lists data.',
  },
  SCHEMA_UNKNOWN_TYPE: {
    ...schema,
    title: 'A type that is neither known nor defined',
    why: 'Avro knows null, boolean, int, long, float, double, string, bytes, record, enum, array, map, fixed, and the names defined in the same schema. A name without a dot is looked for in the namespace around it.',
    example: '{"name": "at", "type": "timestamp"}',
    mend: 'Mend the name; a time is {"type": "long", "logicalType": "timestamp-millis"}.',
  },
  SCHEMA_FORWARD_REFERENCE: {
    ...schema,
    title: 'A name is used before its definition',
    why: 'Avro reads a schema from top to bottom; the newest Java looks ahead, avsc and older Java refuse.',
    example:
      '[{"name": "a", "type": "Rider"}, {"name": "b", "type": {"type": "record", "name": "Rider", …}}]',
    mend: 'Define the type where it first occurs and refer to it by name from there on.',
  },
  SCHEMA_NAME_INVALID: {
    ...schema,
    title: 'A name that Avro does not allow',
    why: 'Names are letters, digits and underscores and do not start with a digit; namespaces are such names with dots between. Primitive types are no names. Generated classes and connectors rely on it.',
    example: '{"name": "order-id", "type": "string"}',
    mend: 'Rename it. In Debezium, set schema.name.adjustment.mode=avro and field.name.adjustment.mode=avro.',
  },
  SCHEMA_NAME_DUPLICATE: {
    ...schema,
    title: 'Two types, fields or symbols of the same name',
    why: 'What the name stands for would depend on the program.',
    example: '{"type": "record", "name": "A", "fields": [{"name": "x", …}, {"name": "x", …}]}',
    mend: 'Rename one. If both types are the same, define it once and refer to it by name.',
  },
  SCHEMA_ATTRIBUTE_MISSING: {
    ...schema,
    title: 'Something that Avro requires is missing',
    why: 'A record needs name and fields, an enum name and symbols, a fixed name and size, an array items, a map values, a field name and type.',
    example: '{"type": "array"}',
    mend: 'Add what the message names.',
  },
  SCHEMA_ATTRIBUTE_INVALID: {
    ...schema,
    title: 'Something has the wrong form',
    why: 'Programs refuse the schema or read something else into it.',
    example: '{"type": "fixed", "name": "Digest", "size": "16"}',
    mend: 'Write it in the form that the message names.',
  },
  SCHEMA_UNION_INVALID: {
    ...schema,
    title: 'A union that Avro does not allow',
    why: 'A union may not hold a union, nor two types of the same kind; records, enums and fixed count by their names. A value could not be told apart.',
    example: '["null", "string", "string"]',
    mend: 'Remove the second one, or give each a record of its own.',
  },
  SCHEMA_DEFAULT_INVALID: {
    ...schema,
    title: 'A default that does not fit its type',
    why: 'It is first used when a record lacks the field, which is long after the merge. The default of a union must fit its first type: avsc throws otherwise.',
    example: '{"name": "note", "type": ["string", "null"], "default": null}',
    mend: 'Write a default of the type; for null, put "null" first in the union.',
  },
  SCHEMA_LOGICAL_TYPE_INVALID: {
    ...schema,
    severity: 'warning',
    title: 'A logical type that is ignored',
    why: 'A logical type on a type that cannot carry it, or a decimal without a sound precision and scale, is ignored without a word: readers see the bare number or bytes.',
    example: '{"type": "string", "logicalType": "timestamp-millis"}',
    mend: 'Use the type it belongs to; a decimal needs precision ≥ 1 and a scale from 0 to it.',
  },
  VERSION_MISSING: {
    ...policy,
    title: 'A version of the subject is missing',
    why: 'Versions are numbered from 1 without gaps, and a released one is never removed: records written with it are still to be read.',
    example: 'order.events-value/ has v1.avsc and v3.avsc',
    mend: 'Restore the file, or number the new one as the next.',
  },
  LEVEL_UNKNOWN: {
    ...policy,
    title: 'A level that there is not, or for a subject that there is not',
    why: 'A misspelt level would mean no check at all.',
    example: '"order.events-value": {"level": "FULL_TRANSITIV"}',
    mend: 'Use NONE, BACKWARD, FORWARD, FULL, or one of the last three with _TRANSITIVE, and the name of a folder.',
  },
  LEVEL_NONE_UNEXPLAINED: {
    ...policy,
    title: 'A subject is set to NONE without a reason and an end',
    why: 'NONE lets every change through, and stays when the reason is forgotten.',
    example: '"order.events-value": {"level": "NONE"}',
    mend: 'Add "exception": {"reason": "…", "expires": "2027-01-31"}; better: a new subject for the breaking shape.',
  },
  LEVEL_EXCEPTION_EXPIRED: {
    ...policy,
    title: 'The exception that allows NONE has ended',
    why: 'It was granted until a day that has passed.',
    example: '"exception": {"reason": "…", "expires": "2026-01-31"} in February',
    mend: 'Put a level back, or decide anew and write the new day.',
  },
} as const satisfies Record<string, Rule>
