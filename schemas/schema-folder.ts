/** Finds the schema files: `schemas/avro/<subject>/vN.avsc`, beside this module in the sources and in the build. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type AvroRecord, parseSchema } from './avro-schema.ts'

/** One schema file. `text` is the raw JSON, the only form that keeps every attribute. */
export interface SchemaFile {
  readonly subject: string
  readonly version: number
  readonly path: string
  readonly text: string
  readonly schema: AvroRecord
}

/** The folder that ships with the program. */
export const shippedSchemaFolder: string = fileURLToPath(new URL('./avro/', import.meta.url))

/** Reads every schema of a folder, by subject and then by version as a number (v10 comes after v9). */
export function readSchemaFolder(folder: string): readonly SchemaFile[] {
  if (!existsSync(folder))
    throw new Error(`no schema folder at ${folder}; run \`npm run build\`, which copies it there`)
  const files: SchemaFile[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    for (const name of readdirSync(`${folder}/${entry.name}`)) {
      const version = /^v([1-9]\d*)\.avsc$/.exec(name)?.[1]
      const path = `${entry.name}/${name}`
      if (version === undefined)
        throw new Error(`${path} in ${folder} is no schema version; name it v1.avsc, v2.avsc, …`)
      const text = readFileSync(`${folder}/${path}`, 'utf8')
      files.push({
        subject: entry.name,
        version: Number(version),
        path,
        text,
        schema: parseSchema(text, path),
      })
    }
  }
  return files.sort((a, b) =>
    a.subject === b.subject ? a.version - b.version : a.subject < b.subject ? -1 : 1,
  )
}
