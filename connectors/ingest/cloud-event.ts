/**
 * Debezium's CloudEvents (`format.value=cloudevents`) back into the envelope that they were made of: the rows stand in
 * `data`, everything else in attributes that start with `iodebezium`, as text.
 */
import { objectMembers } from './json-slices.ts'

/** Whether a parsed message is a CloudEvent. */
export const isCloudEvent = (message: Readonly<Record<string, unknown>>): boolean =>
  typeof message.specversion === 'string' && 'data' in message

const prefix = 'iodebezium'

/** Attribute names carry no `_`, so a source field is found by its name without it. */
const sourceFields = [
  ...[
    'version',
    'connector',
    'name',
    'ts_ms',
    'ts_us',
    'ts_ns',
    'snapshot',
    'db',
    'sequence',
    'schema',
    'table',
  ],
  ...['server_id', 'gtid', 'file', 'pos', 'row', 'thread', 'query', 'lsn', 'xmin'],
]

/** The envelope as JSON text, its rows untouched; or why the event carries none. */
export function envelopeOfCloudEvent(text: string): { readonly text: string } | { readonly reason: string } {
  const attributes = objectMembers(text)
  const dataText = attributes.get('data') ?? 'null'
  if (!dataText.startsWith('{'))
    return { reason: 'the data of the CloudEvent is no JSON object: use data.serializer.type=json' }
  const outer = objectMembers(dataText)
  // With schemas enabled the data is {schema, payload}.
  const inner = outer.has('schema') ? outer.get('payload') : dataText
  const rows = inner?.startsWith('{') ? objectMembers(inner) : new Map<string, string>()
  const op = attributes.get(`${prefix}op`)
  if (op === undefined || op === 'null')
    return { reason: 'the CloudEvent has no attribute iodebeziumop: it is none of Debezium' }
  const source = sourceFields
    .map((field) => [field, attributes.get(prefix + field.replaceAll('_', ''))] as const)
    .concat([['txId', transactionNumber(attributes)]])
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([field, value]) => `${JSON.stringify(field)}:${value}`)
  const members = [
    `"before":${rows.get('before') ?? 'null'}`,
    `"after":${rows.get('after') ?? 'null'}`,
    `"source":{${source.join(',')}}`,
    `"op":${op}`,
    `"transaction":${transactionOf(attributes)}`,
    `"ts_ms":${attributes.get(`${prefix}tsms`) ?? 'null'}`,
  ]
  return { text: `{${members.join(',')}}` }
}

/** PostgreSQL's `txId`. In lower case its name is also that of the transaction's id, `<txId>:<lsn>`. */
function transactionNumber(attributes: ReadonlyMap<string, string>): string | undefined {
  const exact = attributes.get(`${prefix}txId`)
  if (exact !== undefined) return exact
  return /^"(\d+)(?::\d+)?"$/.exec(attributes.get(`${prefix}txid`) ?? '')?.[1]
}

/** Only where the connector provides transaction metadata, which shows in the order within the transaction. */
function transactionOf(attributes: ReadonlyMap<string, string>): string {
  const id = attributes.get(`${prefix}txid`)
  if (id === undefined || attributes.get(`${prefix}txtotalorder`) === undefined) return 'null'
  return `{"id":${id}}`
}
