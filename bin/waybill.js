#!/usr/bin/env node
// The command `waybill`. The program is TypeScript and built into dist/; this file only finds it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/app/main.js', import.meta.url)
if (!existsSync(fileURLToPath(main))) {
  process.stderr.write('waybill: not built yet. Run `npm start` or `npm run build` once, then try again.\n')
  process.exit(1)
}
const { run } = await import(main.href)
await run(process.argv)
