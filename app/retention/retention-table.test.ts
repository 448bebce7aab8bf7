import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'

const page = readFileSync(new URL('../../docs/living-with-it.md', import.meta.url), 'utf8')

describe('waybill topology show --retention', () => {
  it('prints what docs/living-with-it.md says', async () => {
    const surroundings = capturedSurroundings()
    expect(await runCommand(['topology', 'show', '--retention'], surroundings)).toBe(0)
    const text = surroundings.stdout.text()
    expect(text).toMatch(/\| `delivery\.history` \| 30 d \| after it was written \|/)
    expect(text).toMatch(/\| `enrich\.orders` \| 180 d \| order that ended/)
    const section = page.split('\n## How long things are kept\n')[1]?.split('\n## ')[0] ?? ''
    const tables = section.split('\n').filter((line) => line.startsWith('|'))
    expect(tables).toEqual(text.split('\n').filter((line) => line.startsWith('|')))
  })
})
