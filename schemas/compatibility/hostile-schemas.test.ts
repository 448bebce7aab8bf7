import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkReaderWriter } from './check-reader-writer.ts'
import { parseSchemaText } from './parse-schema-text.ts'
import { ComparisonTooLargeError } from './reader-writer.ts'
import type { HostileOutcome } from './testing/hostile-child.ts'
import { hostileSchemas } from './testing/hostile-schemas.ts'
import { randomSchema, seededChance } from './testing/random-schemas.ts'
import { check } from './testing/subject-check.ts'

const child = fileURLToPath(
  new URL('../../dist/schemas/compatibility/testing/hostile-child.js', import.meta.url),
)

describe('a schema that means harm', () => {
  // In a process of its own, whose memory is its own. The limit makes V8 collect what is garbage instead of growing.
  it.each(Object.keys(hostileSchemas))('%s: gets an answer, of bounded length, in 200 MB', (name) => {
    if (!existsSync(child)) throw new Error(`${child} is not there: run "npm run build" first`)
    const run = spawnSync(process.execPath, ['--max-old-space-size=100', child, name], { encoding: 'utf8' })
    expect(run.stderr).toBe('')
    const outcome: HostileOutcome = JSON.parse(run.stdout)
    expect(outcome.valid).toBe(hostileSchemas[name]?.valid)
    expect(outcome.problems).toBeLessThanOrEqual(400)
    expect(outcome.findings).toBeLessThanOrEqual(1000)
    expect(outcome.megabytes).toBeGreaterThan(0)
    expect(outcome.megabytes).toBeLessThan(200)
  })

  it('of any depth is compared, when it comes as JSON', () => {
    const nest = (depth: number, inner: unknown) => {
      let schema = inner
      for (let left = depth; left > 0; left--) schema = { type: 'array', items: schema }
      return schema
    }
    expect(checkReaderWriter(nest(20_000, 'long'), nest(20_000, 'int'))).toEqual([])
    const [found] = checkReaderWriter(nest(20_000, 'int'), nest(20_000, 'long'))
    expect(found?.path).toHaveLength('/items'.length * 20_000)
  })

  it('with circles of many lengths is given up on with an error that says so', () => {
    const circle = (length: number) =>
      Array.from({ length }, (_, index) => index).reduceRight<unknown>(
        (next, index) => ({
          type: 'record',
          name: 'A',
          namespace: `n${index}`,
          fields: [{ name: 'next', type: ['null', next] }],
        }),
        'n0.A',
      )
    expect(checkReaderWriter(circle(40), circle(39))).toEqual([])
    expect(() => checkReaderWriter(circle(900), circle(899))).toThrow(ComparisonTooLargeError)
  })
})

describe('any text', () => {
  const seed = randomInt(2 ** 31)
  it(`that was a schema until something happened to it is read without an exception (seed ${seed})`, () => {
    const chance = seededChance(seed)
    const bits = [
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      '"type"',
      'null',
      '-',
      '1e999',
      '//',
      '/*',
      '\n',
      '\ufeff',
      '\ud800',
      '"record"',
      '"fields":7',
      '"__proto__"',
    ]
    let refused = 0
    for (let round = 0; round < 1200; round++) {
      let text = JSON.stringify(randomSchema(chance, { namespaces: round % 2 === 0 }))
      for (let harm = Math.floor(chance() * 3); harm >= 0; harm--) {
        const at = Math.floor(chance() * text.length)
        const cut = Math.floor(chance() * 6)
        text = text.slice(0, at) + (bits[Math.floor(chance() * bits.length)] ?? '') + text.slice(at + cut)
      }
      const parsed = parseSchemaText(text, 'a.avsc')
      if (!parsed.ok) refused++
      for (const { place, message, mend } of parsed.problems) {
        const line = text.split(/\r\n?|\n/)[place.line - 1]
        expect(line, `line ${place.line} of ${JSON.stringify(text)}`).toBeDefined()
        expect(place.column).toBeLessThanOrEqual((line?.length ?? 0) + 1)
        expect(message && mend).toBeTruthy()
      }
      check('FULL_TRANSITIVE', randomSchema(chance, { namespaces: false }), text)
    }
    expect(refused).toBeGreaterThan(600)
  })
})
