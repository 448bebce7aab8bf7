/** The walk-through of docs/schemas.md: a real change of the order events, from the first field to the retired version. */
import { readFileSync } from 'node:fs'
import { fixedNow, type TestFolder, testFolder } from '../../app/schemas/testing/schema-folder.ts'
import {
  brokenPromises,
  dayMs,
  generatePayloadShapes,
  type PayloadRelease,
  payloadReleases,
  readSchemaFolder,
} from '../../schemas/index.ts'
import { commit, fenced, session } from './schemas-page.ts'

const subject = 'order.events-value'
const folderName = 'schemas/avro'
const pathOf = (version: number): string => `${folderName}/${subject}/v${version}.avsc`
/** What is released when the walk-through begins. */
const released = 3

interface Definition {
  type: string
  name: string
  fields?: { name: string; type: unknown; [more: string]: unknown }[]
  symbols?: string[]
}

/** The definition of a name, wherever it is in a schema. */
function definition(json: unknown, name: string): Definition | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  if ('name' in json && json.name === name && ('fields' in json || 'symbols' in json))
    return json as Definition
  for (const inner of Object.values(json)) {
    const found = definition(inner, name)
    if (found) return found
  }
  return undefined
}

/** A folder with the order events as they were released, under git. */
function releasedFolder(): TestFolder {
  const files: Record<string, string | object> = {
    [`${folderName}/levels.json`]: { subjects: { [subject]: { level: 'FULL_TRANSITIVE' } } },
    [`${folderName}/lint.json`]: {
      secret_subjects: [subject],
      suppressions: [
        {
          ...{ rule: 'PII_UNTAGGED', subject, field: 'payload.rider.name' },
          ...{ reason: 'partners are told who comes', expires: '2027-11-30' },
        },
      ],
    },
    'partners.yaml': partners('v1'),
  }
  for (let version = 1; version <= released; version++) {
    files[pathOf(version)] = readFileSync(`schemas/avro/${subject}/v${version}.avsc`, 'utf8')
  }
  const folder = testFolder(files)
  commit(folder)
  return folder
}

const partners = (version: string): string => `partners:
  - id: bharat
    endpoints:
      - { id: bharat-main, url: "https://bharat.example/hooks", version: ${version} }
  - id: acme
    endpoints:
      - { id: acme-orders, url: "https://acme.example/hooks", version: v2 }
`

/** Writes v4 as v3 with something done to it. */
function writeNext(folder: TestFolder, change: (named: (name: string) => Definition) => void): void {
  const schema: unknown = JSON.parse(folder.read(pathOf(released)))
  change((name) => {
    const found = definition(schema, name)
    if (!found) throw new Error(`v${released} defines no ${name}`)
    return found
  })
  folder.write(pathOf(released + 1), schema as object)
}

/** The field that is added. */
const slot = {
  name: 'slot',
  type: ['null', 'string'],
  doc: 'The delivery slot that the customer chose.',
  default: null,
}

/** The whole text; every output in it comes from the program. */
export async function walkThrough(): Promise<string> {
  const folder = releasedFolder()
  try {
    const parts: string[] = []
    for (const step of [addField, addEvent, rename, widen, breakIt, shipNext, migrate])
      parts.push(...(await step(folder)), '')
    return parts.join('\n').trimEnd()
  } finally {
    folder.close()
  }
}

async function run(folder: TestFolder, command: string): Promise<string> {
  return session(`waybill schemas ${command}`, await folder.schemas(...command.split(' ')))
}

async function addField(folder: TestFolder): Promise<string[]> {
  writeNext(folder, (named) => named('DeliveryInfo').fields?.push(slot))
  return [
    '### 1. Add a field',
    '',
    `Copy \`v3.avsc\` of \`${subject}\` to \`v4.avsc\` and add to the record \`DeliveryInfo\`:`,
    '',
    fenced(JSON.stringify(slot)),
    '',
    'Null first, the default null, a doc. Then ask, as CI will:',
    '',
    await run(folder, 'check --against git:main'),
    '',
    await run(folder, 'lint'),
    '',
    await run(folder, 'diff order.events'),
  ]
}

async function addEvent(folder: TestFolder): Promise<string[]> {
  writeNext(folder, (named) => {
    named('DeliveryInfo').fields?.push(slot)
    named('EventType').symbols?.push('delivery_attempted')
  })
  return [
    '### 2. Add an event type',
    '',
    'In the same `v4.avsc`, add `"delivery_attempted"` to the symbols of `EventType`. The enum has the default `UNKNOWN`',
    'since v1: readers that do not know the symbol see that one, and `UNKNOWN` is never sent.',
    '',
    await run(folder, 'check --against git:main'),
    '',
    await run(folder, 'diff order.events'),
  ]
}

async function rename(folder: TestFolder): Promise<string[]> {
  const renamed = (record: string, from: string, to: string) =>
    writeNext(folder, (named) => {
      const field = named(record).fields?.find(({ name }) => name === from)
      if (field) Object.assign(field, { name: to, aliases: [from] })
    })
  renamed('Internal', 'city', 'town')
  const inside = await run(folder, 'check --against git:main')
  renamed('OrderPayload', 'order_ref', 'order_number')
  const outside = await run(folder, 'check --against git:main')
  return [
    '### 3. Rename a field, with an alias',
    '',
    'Call `internal.city` `town`, with `"aliases": ["city"]`: new readers find the value of old records under its old name.',
    'A registry takes it, because both have a default. Readers that still run with v3 are another matter, so it is said:',
    '',
    inside,
    '',
    'The same with `order_ref`, which partners get, is stopped, although a registry would let it pass:',
    '',
    outside,
  ]
}

async function widen(folder: TestFolder): Promise<string[]> {
  writeNext(folder, (named) => {
    const field = named('Failure').fields?.find(({ name }) => name === 'attempt_no')
    if (field) field.type = ['null', 'long']
  })
  return [
    '### 4. Widen a type',
    '',
    'Make `failure.attempt_no` a long. New readers read old ints, but old readers cannot read new longs:',
    '',
    await run(folder, 'check --against git:main'),
    '',
    'Under BACKWARD, where readers are upgraded first, the same change passes (partners get a number either way):',
    '',
    await run(folder, 'check --against git:main --level BACKWARD_TRANSITIVE'),
  ]
}

async function breakIt(folder: TestFolder): Promise<string[]> {
  const { default: _, ...required } = { ...slot, type: 'string' }
  writeNext(folder, (named) => named('DeliveryInfo').fields?.push(required))
  const stopped = await run(folder, 'check --against git:main')
  folder.remove(pathOf(released + 1))
  const edited: unknown = JSON.parse(folder.read(pathOf(2)))
  const payload = definition(edited, 'OrderPayload')
  if (payload) payload.fields = payload.fields?.filter(({ name }) => name !== 'order_id') ?? []
  const before = folder.read(pathOf(2))
  folder.write(pathOf(2), edited as object)
  const inPlace = await run(folder, 'check --against git:main')
  folder.write(pathOf(2), before)
  return [
    '### 5. Try a breaking change, and be stopped',
    '',
    'The same field without a default, as `"type": "string"`:',
    '',
    stopped,
    '',
    'And an edit of what is released: `order_id` deleted from `v2.avsc`. The change is judged as if it were',
    'the next version, so that one run tells both that it must not be made there and what it would break:',
    '',
    inPlace,
  ]
}

/** The releases as they would be with the next version. */
const nextReleases: readonly PayloadRelease[] = [
  ...payloadReleases.filter(({ version }) => version === 'v1'),
  {
    version: 'v2',
    released: '2026-11-22',
    deprecated: '2027-02-01',
    sunset: '2028-02-01',
    successor: 'v4' as 'v2',
  },
  { version: 'v4' as 'v2', released: '2027-01-15', deprecated: null, sunset: null, successor: null },
]

async function shipNext(folder: TestFolder): Promise<string[]> {
  writeNext(folder, (named) => {
    named('DeliveryInfo').fields?.push(slot)
    named('EventType').symbols?.push('delivery_attempted')
  })
  const shapes = generatePayloadShapes(readSchemaFolder(`${folder.path}/${folderName}`))
  const generated = /export type PayloadVersion = .*/.exec(shapes)?.[0] ?? ''
  const ask = (releases: readonly PayloadRelease[], renderable: readonly string[], day: string) =>
    brokenPromises({ releases, renderable, nowMs: dayMs(day) })
  const forgotten = ask(payloadReleases, ['v1', 'v2', 'v4'], '2027-01-15')
  const hasty = nextReleases.map((one) => (one.version === 'v2' ? { ...one, sunset: '2027-08-01' } : one))
  const kept = ask(nextReleases, ['v1', 'v2', 'v4'], '2027-01-15')
  if (kept.length > 0) throw new Error(kept.join('\n'))
  return [
    '### 6. Ship the next payload version beside v2',
    '',
    '`npm run schemas` gives `v4.avsc` its id and makes the types anew. A payload version has the number of the schema',
    'version that brought it (v3 changed only what stays inside, so partners never saw it):',
    '',
    fenced(generated),
    '',
    'The tests now fail until the version is released in `schemas/payload/versions.ts` and its bytes are recorded in',
    '`schemas/payload/golden-records/`:',
    '',
    fenced(forgotten.join('\n')),
    '',
    'Deprecating v2 with it takes a sunset at least twelve months later. A hasty one is refused:',
    '',
    fenced(ask(hasty, ['v1', 'v2', 'v4'], '2027-01-15').join('\n')),
    '',
    'Endpoints go on getting the version they pin, as the recorded bytes of every version prove, and their requests say',
    'until when (see [the payload](payload.md)). In a registry, levels and versions come with one command, which a second',
    'run leaves alone: `waybill schemas plan`, then `waybill schemas apply`.',
  ]
}

async function migrate(folder: TestFolder): Promise<string[]> {
  const early = await run(folder, 'status --partners partners.yaml --retire v1')
  folder.write('partners.yaml', partners('v2'))
  folder.setNow(dayMs('2027-12-01'))
  const late = await run(folder, 'status --partners partners.yaml --retire v1')
  folder.setNow(fixedNow)
  return [
    '### 7. Migrate the endpoints, and retire v1',
    '',
    'Who is still on what, whom to tell, and what stands in the way:',
    '',
    early,
    '',
    'A year later `bharat-main` pins v2, and the sunset has come:',
    '',
    late,
    '',
    'Then v1 leaves `payloadVersions` in `schemas/payload/render.ts`. Before its sunset the tests refuse that:',
    '',
    fenced(brokenPromises({ releases: payloadReleases, renderable: ['v2'], nowMs: fixedNow }).join('\n')),
    '',
    'Its schema and its recorded bytes stay for good: records that were written with it may be replayed at any time.',
  ]
}
