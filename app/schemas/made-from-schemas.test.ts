import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startFakeRegistry } from '../../connectors/registry/testing/fake-registry.ts'
import { type TestFolder, testFolder } from './testing/schema-folder.ts'

const root = process.cwd()
const shipped = `${root}/schemas/avro`
const recorded = `${root}/schemas/payload/golden-records`
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
const opened = (files: Record<string, string | object> = {}): TestFolder => {
  const folder = testFolder(files)
  cleanups.push(folder.close)
  return folder
}

describe('schemas types', () => {
  it('--check agrees with what is generated here, and says from where on a file differs', async () => {
    const folder = opened()
    const generated = `${root}/schemas/generated/types.ts`
    expect((await folder.schemas('types', '--folder', shipped, '--check', '--out', generated)).code).toBe(0)
    folder.write('types.ts', `${readFileSync(generated, 'utf8').split('\n').slice(0, 5).join('\n')}\n`)
    const { code, err } = await folder.schemas('types', '--folder', shipped, '--check', '--out', 'types.ts')
    expect([code, err]).toEqual([
      100,
      expect.stringContaining('from line 6 on — run waybill schemas types --out types.ts'),
    ])
    expect((await folder.schemas('types', '--folder', shipped, '--check')).err).toContain(
      'is not there — run npm run schemas',
    )
  })

  it('compile in the strictest mode, and refuse what is not in the schema', () => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-types-'))
    cleanups.push(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'types.ts'), readFileSync(`${root}/schemas/generated/types.ts`))
    writeFileSync(
      join(folder, 'use.ts'),
      `import type { OrderPayload, SubjectTypes } from './types.ts'
export const event = (payload: OrderPayload): SubjectTypes['order.events-value']['payload']['event'] => payload.event
// @ts-expect-error no such symbol
export const wrong: OrderPayload['event'] = 'lost'
// @ts-expect-error read only
export const change = (payload: OrderPayload): void => { payload.order_id = '1' }
`,
    )
    const flags = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--noUncheckedIndexedAccess',
      '--noEmit',
      '--isolatedModules',
    ]
    const more = [
      '--module',
      'nodenext',
      '--allowImportingTsExtensions',
      '--types',
      '',
      join(folder, 'use.ts'),
    ]
    expect(
      execFileSync(`${root}/node_modules/.bin/tsc`, ['--ignoreConfig', ...flags, ...more]).toString(),
    ).toBe('')
  })
})

describe('schemas docs', () => {
  it('is the page in docs/: after changing a schema, run `waybill schemas docs --out docs/payload.md`', async () => {
    const { out } = await opened().schemas('docs', '--folder', shipped)
    expect(readFileSync(`${root}/docs/payload.md`, 'utf8')).toBe(out)
  })
})

describe('schemas decode', () => {
  const name = 'order.events-value.v1.out_for_delivery.avro'
  const hex = readFileSync(`${recorded}/${name}`).toString('hex')

  it('shows a record of any version, its secrets and personal data masked', async () => {
    for (const file of readdirSync(recorded).filter((one) => one.endsWith('.avro'))) {
      const { code, out } = await opened().schemas(
        'decode',
        `${recorded}/${file}`,
        '--folder',
        shipped,
        '--json',
      )
      expect(code, file).toBe(0)
      expect(out).not.toContain('sealed:')
      const shown = JSON.parse(out)
      expect(`${shown.subject}.v${shown.version}.${shown.value.payload.event}.avro`).toBe(file)
    }
  })

  it.each([
    ['digits', hex],
    ['spaced digits', hex.replaceAll(/../g, '$& ')],
    ['0x', `0x${hex}`],
  ])('takes %s', async (_, text) => {
    const { code, out } = await opened().schemas('decode', text, '--folder', shipped)
    expect([code, out]).toEqual([0, expect.stringContaining('"otp": "••••••"')])
  })

  it('takes the ids of a registry', async () => {
    const registry = await startFakeRegistry({ flavour: 'confluent' })
    cleanups.push(registry.close)
    const id = registry.put(
      'order.events-value',
      readFileSync(`${shipped}/order.events-value/v1.avsc`, 'utf8'),
    )
    const bytes = Buffer.from(hex, 'hex')
    bytes.writeInt32BE(id, 1)
    const { code, out } = await opened().schemas('decode', bytes.toString('hex'), '--registry', registry.url)
    expect([code, out]).toEqual([0, expect.stringContaining(`"id": ${id}`)])
  })

  it.each([
    ['cut bytes', hex.slice(0, 60), 'no record of order.events-value v1'],
    ['JSON', '7b7d7b7d7b7d', 'starts with a zero byte'],
    ['an unknown id', '000000ffff00', 'no schema has the id 65535'],
    ['neither digits nor a file', 'nothing.bin', 'neither hex digits nor a file'],
  ])('ends with 2 for %s', async (_, text, words) => {
    const { code, err } = await opened().schemas('decode', text, '--folder', shipped)
    expect([code, err]).toEqual([2, expect.stringContaining(words)])
  })
})

describe('schemas project', () => {
  const body = (name: string) => readFileSync(`${root}/schemas/payload/golden/${name}.json`, 'utf8')

  it('shows a body as v1 has it', async () => {
    const folder = opened({ 'event.json': body('delivered.v2') })
    const { code, out } = await folder.schemas('project', '--to', 'v1', 'event.json', '--json')
    expect([code, out]).toEqual([0, body('delivered.v1')])
  })

  it('says when the version does not know the event, and when the file is no body', async () => {
    const folder = opened({
      'event.json': body('return_picked_up.v2'),
      'other.json': '{"a": 1}',
      'text.txt': 'x',
    })
    expect((await folder.schemas('project', '--to', 'v1', 'event.json')).code).toBe(100)
    for (const [args, words] of [
      [['--to', 'v1', 'other.json'], 'schema_version is missing'],
      [['--to', 'v9', 'event.json'], 'no payload version "v9"'],
      [['--to', 'v1', 'text.txt'], 'not JSON'],
      [['--to', 'v1', 'gone.json'], 'cannot be read'],
    ] as const) {
      const { code, err } = await folder.schemas('project', ...args)
      expect([code, err]).toEqual([2, expect.stringContaining(words)])
    }
  })
})
