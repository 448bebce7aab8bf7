/**
 * The ids of the schema folder, `schemas/avro/ids.json`: committed, so that the bytes which one release writes
 * are read by the next. An id is given once and means one schema for ever; its fingerprint holds it to that.
 */
import { createHash } from 'node:crypto'
import type { AvroRecord } from './avro-schema.ts'
import type { SchemaFile } from './schema-folder.ts'

/** What ids.json holds. */
export interface SchemaIds {
  /** The next id to give; ids are never given twice. */
  readonly next: number
  /** subject → version → id and fingerprint. */
  readonly subjects: Readonly<Record<string, Readonly<Record<string, IdEntry>>>>
}

/** The id of one version and what its schema was when it got it. */
export interface IdEntry {
  readonly id: number
  readonly fingerprint: string
}

/** What has no id, or another shape than when it got one. */
export interface IdProblem {
  readonly kind: 'missing' | 'changed'
  readonly path: string
}

/** Hashes what a schema means, everything but its `doc` texts: those may be mended at any time. */
export function schemaFingerprint(schema: AvroRecord): string {
  const text = JSON.stringify(schema, (key, value: unknown) => (key === 'doc' ? undefined : value))
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** Parses ids.json; `where` names the file in errors. */
export function parseSchemaIds(text: string, where: string): SchemaIds {
  const json: unknown = JSON.parse(text)
  if (!isSchemaIds(json))
    throw new Error(`${where} must hold {next, subjects: {subject: {version: {id, fingerprint}}}}`)
  return json
}

function isSchemaIds(json: unknown): json is SchemaIds {
  if (typeof json !== 'object' || json === null || !('next' in json) || !('subjects' in json)) return false
  if (typeof json.next !== 'number' || typeof json.subjects !== 'object' || json.subjects === null)
    return false
  return Object.values(json.subjects).every(
    (versions: unknown) =>
      typeof versions === 'object' && versions !== null && Object.values(versions).every(isIdEntry),
  )
}

function isIdEntry(json: unknown): json is IdEntry {
  return (
    typeof json === 'object' &&
    json !== null &&
    'id' in json &&
    typeof json.id === 'number' &&
    'fingerprint' in json &&
    typeof json.fingerprint === 'string'
  )
}

/** The entry of one file, if it has one. */
export function idEntry(ids: SchemaIds, file: SchemaFile): IdEntry | undefined {
  return ids.subjects[file.subject]?.[`v${file.version}`]
}

/** Holds the files to their ids. */
export function checkSchemaIds(ids: SchemaIds, files: readonly SchemaFile[]): IdProblem[] {
  return files.flatMap((file): IdProblem[] => {
    const entry = idEntry(ids, file)
    if (!entry) return [{ kind: 'missing', path: file.path }]
    return entry.fingerprint === schemaFingerprint(file.schema) ? [] : [{ kind: 'changed', path: file.path }]
  })
}

/**
 * Gives ids to files that have none. A file that changed keeps its id and stays a problem, unless `replace` says
 * that no release wrote it yet: then it gets a new id, because bytes with the old one may lie around.
 */
export function assignSchemaIds(
  ids: SchemaIds,
  files: readonly SchemaFile[],
  options: { readonly replace: boolean },
): SchemaIds {
  let { next } = ids
  const subjects: Record<string, Record<string, IdEntry>> = {}
  for (const file of files) {
    const fingerprint = schemaFingerprint(file.schema)
    const known = idEntry(ids, file)
    const keep = known && (known.fingerprint === fingerprint || !options.replace)
    const versions = subjects[file.subject] ?? {}
    versions[`v${file.version}`] = keep ? known : { id: next++, fingerprint }
    subjects[file.subject] = versions
  }
  return { next, subjects }
}
