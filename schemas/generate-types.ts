/** The script behind `npm run schemas`: gives new schema files their ids, then writes `schemas/generated/types.ts`. */
import { writeFileSync } from 'node:fs'
import { readSchemaFolder } from './schema-folder.ts'
import { generateTypes } from './type-generator.ts'

const root = process.argv[2] ?? 'schemas'
writeFileSync(`${root}/generated/types.ts`, generateTypes(readSchemaFolder(`${root}/avro`)))
