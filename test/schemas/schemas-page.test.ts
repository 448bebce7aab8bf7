/** `WAYBILL_WRITE_DOCS=1 npx vitest run test/schemas` writes the parts of docs/schemas.md that are made. */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { ruleCatalogue } from '../../schemas/index.ts'
import { ruleExamples } from './rule-examples.ts'
import { catalogueText } from './schemas-page.ts'
import { walkThrough } from './walk-through.ts'

const page = 'docs/schemas.md'
let text = readFileSync(page, 'utf8')

/** What stands between the marks of a part. */
function part(name: string): string {
  const found = new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)<!-- /${name} -->`).exec(text)?.[1]
  if (found === undefined) throw new Error(`${page} has no part ${name}`)
  return found.trim()
}

function write(name: string, made: string): void {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  text = `${text.slice(0, text.indexOf(open) + open.length)}\n\n${made}\n\n${text.slice(text.indexOf(close))}`
}

const writing = process.env.WAYBILL_WRITE_DOCS === '1'
afterAll(() => {
  if (writing) writeFileSync(page, text)
})

describe('the page about schemas', () => {
  it('walks through a real change with what the program really says', { timeout: 60_000 }, async () => {
    const made = await walkThrough()
    if (writing) write('walk-through', made)
    expect(part('walk-through')).toBe(made)
  })

  it('shows every message of the catalogue from real output', { timeout: 60_000 }, async () => {
    const made = await catalogueText()
    if (writing) write('catalogue', made)
    expect(part('catalogue')).toBe(made)
    for (const id of ruleCatalogue.keys()) expect(made).toContain(`#### ${id}\n`)
  })

  it('has an example for every rule and for nothing else', () => {
    expect(Object.keys(ruleExamples).sort()).toEqual([...ruleCatalogue.keys()].sort())
  })
})
