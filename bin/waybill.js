#!/usr/bin/env node
// The command `waybill`. The program is TypeScript and built into dist/; this file only finds it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

// By default V8 lets the heap grow to several times of what is in use before it collects. A process that runs for
// months beside others is better small: a third of the memory, for a few per cent of the CPU.
setFlagsFromString('--heap-growing-percent=25')

// Schemas are checked on every commit; what runs the pipeline is not loaded for it.
const program = process.argv[2] === 'schemas' ? 'schemas-main' : 'main'
const main = new URL(`../dist/app/${program}.js`, import.meta.url)
if (!existsSync(fileURLToPath(main))) {
  process.stderr.write('waybill: not built yet. Run `npm start` or `npm run build` once, then try again.\n')
  process.exit(1)
}
const { run } = await import(main.href)
await run(process.argv)
