/**
 * Holds new versions of the order events to what partners were promised: what a payload version has, every later schema
 * has as well, under the same name and type. A registry would let a field with a default go; partners would not.
 */
import type { SchemaText } from '../compatibility/finding.ts'
import { parseSchemaText } from '../compatibility/parse-schema-text.ts'
import { outlineOf } from '../diff/outline.ts'
import { lintRules } from '../lint/lint-rules.ts'
import type { Remark } from '../lint/remark.ts'
import { type PayloadRelease, payloadReleases, standingOf } from './versions.ts'

/** The subject that the payload is part of. */
export const payloadSubject = 'order.events-value'
const payloadPrefix = 'payload.'

/** What the versions break on a day, each told once at the version that broke it. Oldest first. */
export function payloadRemarks(
  versions: readonly SchemaText[],
  nowMs: number,
  releases: readonly PayloadRelease[] = payloadReleases,
): readonly Remark[] {
  const promised = new Map<string, { readonly type: string; readonly since: number }>()
  const { severity, mend } = lintRules.PAYLOAD_FIELD_BROKEN
  const remarks: Remark[] = []
  for (const { version, text, file } of versions) {
    const parsed = parseSchemaText(text, file)
    if (!parsed.ok) continue
    const outline = outlineOf(parsed)
    for (const [path, { type, since }] of promised) {
      const field = outline.fields.get(path)
      if (field && jsonType(field.type) === jsonType(type)) continue
      const message = field
        ? `partners get "${path.slice(payloadPrefix.length)}" as ${type} since v${since}, and it is ${field.type} now`
        : `partners get "${path.slice(payloadPrefix.length)}" since v${since}, and it is gone`
      const place = parsed.positions.of(field?.pointer ?? '/fields')
      remarks.push({
        ...{ rule: 'PAYLOAD_FIELD_BROKEN', severity, message, mend, place, subject: payloadSubject },
        ...{ field: path, since: version, who: 'endpoints that pin an older payload version' },
      })
      promised.delete(path)
    }
    if (!isPromised(version, releases, nowMs)) continue
    for (const { path, type } of outline.fields.values()) {
      if (path.startsWith(payloadPrefix) && !promised.has(path)) promised.set(path, { type, since: version })
    }
  }
  return remarks
}

/** A schema version belongs to the last payload version that it, or one before it, brought; what is new is promised. */
function isPromised(version: number, releases: readonly PayloadRelease[], nowMs: number): boolean {
  const release = releases.findLast((one) => Number(one.version.slice(1)) <= version)
  return release === undefined || standingOf(release, nowMs) !== 'past_sunset'
}

/** A long and an int are both a number to partners. */
const jsonType = (type: string): string => type.replace(/^long(?! \()/, 'int')
