#!/usr/bin/env node
// The command `waybill`. The program is TypeScript and built into dist/; this file only finds it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Schemas are checked on every commit; what runs the pipeline is not loaded for it.
const program = process.argv[2] === 'schemas' ? 'schemas-main' : 'main'
const main = new URL(`../dist/app/${program}.js`, import.meta.url)
if (!existsSync(fileURLToPath(main))) {
  process.stderr.write('waybill: not built yet. Run `npm start` or `npm run build` once, then try again.\n')
  process.exit(1)
}
await import('../dist/app/start/garbage-collection.js')
const { run } = await import(main.href)
await run(process.argv)
