/**
 * The script behind `npm run schemas [-- --replace]`: gives new schema files their ids, then writes what is
 * generated from them. Run it in the repository's root.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { generatePayloadShapes } from './payload/shape-generator.ts'
import { readSchemaFolder } from './schema-folder.ts'
import { assignSchemaIds, checkSchemaIds, parseSchemaIds } from './schema-ids.ts'
import { generateTypes } from './type-generator.ts'

const folder = 'schemas/avro'
const idsPath = `${folder}/ids.json`

const files = readSchemaFolder(folder)
const known = existsSync(idsPath)
  ? parseSchemaIds(readFileSync(idsPath, 'utf8'), idsPath)
  : { next: 1, subjects: {} }
const ids = assignSchemaIds(known, files, { replace: process.argv.includes('--replace') })
writeFileSync(idsPath, `${JSON.stringify(ids, null, 2)}\n`)
writeFileSync('schemas/generated/types.ts', generateTypes(files))
writeFileSync('schemas/generated/payload-shapes.ts', generatePayloadShapes(files))

for (const { path } of checkSchemaIds(ids, files)) {
  process.stderr.write(
    `${path} changed since it got its id: restore it and add the next version, or use --replace if no release wrote it yet\n`,
  )
  process.exitCode = 1
}
