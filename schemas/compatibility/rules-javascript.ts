/** The rules about what Avro lets pass: other shapes in JavaScript, and other meanings of the same bytes. */
import type { Rule } from './rule.ts'

/** Rules by id. */
export const javascriptRules = {
  JS_RESOLVER_REFUSES: {
    group: 'javascript',
    severity: 'error',
    title: 'A registry accepts the change, avsc does not',
    why: 'Java compares the names of records, enums and fixed without their namespace, avsc compares them whole. After a change of namespace the registry says yes, and every consumer on Node fails on the first record.',
    example: '- "namespace": "dev.waybill"\n+ "namespace": "com.waybill"',
    mend: 'Put the namespace back, or list the old full name on every renamed type: "aliases": ["dev.waybill.OrderEvent"] (which helps readers of the new schema only).',
  },
  JS_SCHEMA_REFUSED: {
    group: 'javascript',
    severity: 'error',
    title: 'avsc cannot load the schema',
    why: 'Java accepts an enum without symbols, a union without types and a name that is used before its definition; avsc throws when it parses them, so no consumer on Node starts.',
    example: '{"type": "enum", "name": "Reason", "symbols": []}',
    mend: 'Give the enum a symbol, the union a type; define a named type where it first occurs.',
  },
  JS_UNION_WRAPPED: {
    group: 'javascript',
    severity: 'warning',
    title: 'The shape of decoded values changes in JavaScript',
    why: 'avsc gives the value of a union as it is while the types are told apart by kind, and as {"string": value} once two of them look alike (two numbers, a string and an enum, a map and a record). Code that reads the field gets an object where it had a string.',
    example:
      '- "type": ["null", "string"]\n+ "type": ["null", "string", {"type": "enum", "name": "Code", "symbols": ["A"]}]',
    mend: 'Add a new field for the new type instead of a new branch.',
  },
  JS_UNION_AMBIGUOUS: {
    group: 'javascript',
    severity: 'warning',
    title: 'A union whose types look alike in JavaScript',
    why: 'With two number types, a string and an enum, bytes and a fixed, or a map and a record in one union, avsc wraps every value, and codecs that never wrap (ours is one) refuse the schema.',
    example: '"type": ["null", "int", "long"]',
    mend: 'Use one type that holds both (long for int and long), or two fields.',
  },
  JS_LONG_UNSAFE: {
    group: 'javascript',
    severity: 'warning',
    title: 'A number that JavaScript may not carry exactly',
    why: 'A number in JavaScript is exact up to 2^53. avsc throws on a long beyond it, and JSON.parse rounds it silently. Times in nanoseconds are always beyond; row ids and hashes may be.',
    example: '- {"name": "id", "type": "int"}\n+ {"name": "id", "type": "long"}',
    mend: 'Write ids and hashes as strings; times as timestamp-millis or timestamp-micros.',
  },
  DECIMAL_SCALE_CHANGED: {
    group: 'meaning',
    severity: 'error',
    title: 'A decimal has another scale',
    why: 'A decimal is written as its unscaled number. Avro does not compare scales, so 12.34 written at scale 2 is read as 0.1234 at scale 4, without any error.',
    example:
      '- {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}\n+ {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 4}',
    mend: 'Put the scale back and add a field with the new one.',
  },
  DECIMAL_PRECISION_CHANGED: {
    group: 'meaning',
    severity: 'warning',
    title: 'A decimal has another precision',
    why: 'Avro does not compare precisions. A reader with the smaller one may refuse or cut values that the other wrote.',
    example: '- "precision": 12\n+ "precision": 8',
    mend: 'Only ever raise the precision, and upgrade readers first.',
  },
  TIMESTAMP_UNIT_CHANGED: {
    group: 'meaning',
    severity: 'error',
    title: 'A time is counted in another unit',
    why: 'Milliseconds, microseconds and nanoseconds are all plain longs to Avro. The same number read in another unit is a date in 1970, or one in the year 57000, without any error.',
    example:
      '- {"type": "long", "logicalType": "timestamp-millis"}\n+ {"type": "long", "logicalType": "timestamp-micros"}',
    mend: 'Put the unit back and add a field with the new one.',
  },
  LOGICAL_TYPE_CHANGED: {
    group: 'meaning',
    severity: 'warning',
    title: 'A logical type was added, removed or changed',
    why: 'The bytes stay the same and Avro does not compare logical types, but programs that map them get another type: a date where there was a number, a number where there was a time.',
    example:
      '- {"type": "long", "logicalType": "timestamp-millis"}\n+ {"type": "long", "logicalType": "local-timestamp-millis"}',
    mend: 'Put the logical type back, or tell everyone who reads the field.',
  },
  DEFAULT_CHANGED: {
    group: 'meaning',
    severity: 'warning',
    title: 'A default is another than before',
    why: 'A default stands in for what older records lack. After the change, readers of the two versions see different values for the same record.',
    example:
      '- {"name": "currency", "type": "string", "default": "INR"}\n+ {"name": "currency", "type": "string", "default": ""}',
    mend: 'Keep the default that was released first.',
  },
} as const satisfies Record<string, Rule>
