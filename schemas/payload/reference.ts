/** Makes the page for partners: every field of every payload version, what fills it, and what changed between versions. */
import { parseSchemaText } from '../compatibility/parse-schema-text.ts'
import { diffOutlines, type SchemaChange } from '../diff/diff-schemas.ts'
import { type Outline, type OutlineField, outlineOf } from '../diff/outline.ts'
import type { PayloadVersion } from '../generated/payload-shapes.ts'
import type { SchemaFile } from '../schema-folder.ts'
import { applicableFields, type ConditionalField, sentEvents } from './fields.ts'
import { isKnownTo, payloadVersions } from './render.ts'
import { type PayloadRelease, payloadReleases, promisedMonths } from './versions.ts'

const subject = 'order.events-value'
const prefix = 'payload.'

/** The text of docs/payload.md. */
export function payloadReference(
  files: readonly SchemaFile[],
  releases: readonly PayloadRelease[] = payloadReleases,
): string {
  const outlines = new Map(payloadVersions.map((version) => [version, outlineFor(version, files)]))
  return [
    head(releases),
    ...payloadVersions.toReversed().map((version) => section(version, outlines, releases)),
    changelog(outlines),
  ].join('\n')
}

function head(releases: readonly PayloadRelease[]): string {
  const rows = releases.map(
    ({ version, released, deprecated, sunset, successor }) =>
      `| [${version}](#${version}) | ${released} | ${deprecated ?? ''} | ${sunset ?? ''} | ${successor ?? ''} |`,
  )
  return `# The payload

What the body of a webhook holds, version by version. This page is made from the schemas by \`waybill schemas docs\`.

Every body has every field of its version: what does not apply, or is not known, is \`null\` and never left out. Fields
are written in the order of the tables. Times are text in UTC with milliseconds: \`2026-11-22T08:30:00.000Z\`. An endpoint
pins one version and gets that one until it pins another.

| version | released | deprecated | sunset | successor |
|---|---|---|---|---|
${rows.join('\n')}

**The promise.** A version is sent for at least ${promisedMonths} months after the day it is deprecated. Within a version
nothing is removed or renamed and no type changes; what is new comes with the next version. *Deprecated*: it works as
before, and new endpoints should pin its successor. *Sunset*: from this day on it may be gone, once nobody pins it.

**Headers of a webhook.** \`waybill-payload-version\` names the version of the body. From the day a version is deprecated
on, \`waybill-payload-deprecation\` (\`@\` and the second since 1970), \`waybill-payload-sunset\` (an HTTP date) and
\`waybill-payload-successor\` come with it. Answers of the API that show bodies carry \`Deprecation\` (RFC 9745), \`Sunset\`
(RFC 8594) and \`Link\` for the version among them that ends first.

**Signed bytes.** A signature is about the bytes of the body as they come: verify before parsing.
`
}

function section(
  version: PayloadVersion,
  outlines: ReadonlyMap<PayloadVersion, Outline>,
  releases: readonly PayloadRelease[],
): string {
  const outline = outlines.get(version)
  const release = releases.find((one) => one.version === version)
  const known = sentEvents.filter((event) => isKnownTo(version, event))
  const rows = [...(outline?.fields.values() ?? [])]
    .filter(({ type }) => !type.startsWith('record '))
    .map((field) => {
      const path = field.path
      const since = payloadVersions.find((one) => outlines.get(one)?.fields.has(path)) ?? version
      return `| \`${path}\` | ${jsonType(field, outline)} | ${filledOn(path, version)} | ${since} | ${sentence(field)} |`
    })
  const ends = release?.sunset ? ` Deprecated ${release.deprecated}, sunset ${release.sunset}.` : ''
  return `## ${version}

Released ${release?.released ?? 'not yet'}.${ends} Events: ${known.map((event) => `\`${event}\``).join(', ')}.

| field | JSON | filled on | since | |
|---|---|---|---|---|
${rows.join('\n')}
`
}

function changelog(outlines: ReadonlyMap<PayloadVersion, Outline>): string {
  const steps = payloadVersions.slice(1).map((version, index) => {
    const before = payloadVersions[index]
    const [older, newer] = [before && outlines.get(before), outlines.get(version)]
    const changes = older && newer ? diffOutlines(older, newer).filter(({ docOnly }) => !docOnly) : []
    const lines = changes.map((change) => `- ${changeWords(change, newer)}`)
    return `### ${before} → ${version}\n\n${lines.join('\n')}\n`
  })
  return `## Changes between versions\n\n${steps.join('\n')}`
}

/** A change as a partner sees it: in the words of JSON. */
function changeWords({ kind, what, text }: SchemaChange, newer: Outline | undefined): string {
  const field = newer?.fields.get(what)
  if (kind === 'added' && field) return `\`${what}\` (${jsonType(field, newer)}) is new: ${sentence(field)}`
  const symbol = /^symbol (\S+) of EventType$/.exec(text)?.[1]
  if (kind === 'added' && symbol !== undefined) return `the event \`${symbol}\` is new`
  return `${kind}: ${text}`
}

/** The fields of the payload as a version has them: of the oldest schema that renders to its shape. */
function outlineFor(version: PayloadVersion, files: readonly SchemaFile[]): Outline {
  const file = files.find((one) => one.subject === subject && `v${one.version}` === version)
  const parsed = file && parseSchemaText(file.text, file.path)
  if (!parsed?.ok) throw new Error(`${subject} has no sound schema for payload ${version}`)
  const outline = outlineOf(parsed)
  const own = [...outline.fields.values()]
    .filter(({ path }) => path.startsWith(prefix))
    .map((field) => ({ ...field, path: field.path.slice(prefix.length) }))
  return { ...outline, fields: new Map(own.map((field) => [field.path, field])) }
}

function jsonType({ path, type }: OutlineField, outline: Outline | undefined): string {
  const nullable = type.endsWith(' or null')
  const bare = nullable ? type.slice(0, -' or null'.length) : type
  const words = bare.startsWith('enum ')
    ? (outline?.enums.get(bare.slice('enum '.length))?.symbols ?? [])
        .filter((symbol) => symbol !== 'UNKNOWN' || path !== 'event')
        .map((symbol) => `\`${symbol}\``)
        .join(' ')
    : bare.includes('timestamp')
      ? 'time'
      : ({ string: 'text', boolean: 'true, false', int: 'number', long: 'number' }[bare] ?? bare)
  return nullable ? `${words} or null` : words
}

const restricted: ReadonlySet<string> = new Set(sentEvents.flatMap((event) => [...applicableFields(event)]))

function filledOn(path: string, version: PayloadVersion): string {
  if (!restricted.has(path)) return 'all'
  return sentEvents
    .filter((event) => isKnownTo(version, event) && applicableFields(event).has(path as ConditionalField))
    .map((event) => `\`${event}\``)
    .join(' ')
}

/** Schemas speak to us as well: what they say about sealing is not the partner's concern. */
const sentence = ({ doc, pii }: OutlineField): string =>
  (pii === 'secret' ? doc.replace(/,? sealed in every topic/, '') : doc).replaceAll('|', '\\|')
