import { afterEach, describe, expect, it } from 'vitest'
import { field, record, type TestFolder, testFolder } from './testing/schema-folder.ts'

const folders: TestFolder[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) folder.close()
})
const opened = (files: Record<string, string | object>): TestFolder => {
  const folder = testFolder(files)
  folders.push(folder)
  return folder
}

const v1 = record([field('order_id', 'string')])
const breaking = record([field('order_id', 'string'), field('slot', 'string')])
const sound = record([field('order_id', 'string'), field('slot', ['null', 'string'], { default: null })])
const subject = 'schemas/avro/orders-value'

describe('schemas check', () => {
  it('is clean on the schemas that ship', async () => {
    const { code, out } = await opened({ 'x.txt': '' }).schemas(
      'check',
      '--folder',
      `${process.cwd()}/schemas/avro`,
    )
    expect(out).toMatch(/^0 findings, 0 warnings · \d+ subjects .* exit 0\n$/)
    expect(code).toBe(0)
  })

  it('says what breaks, where, who, since when and the mend, with the line in its frame', async () => {
    const folder = opened({ [`${subject}/v1.avsc`]: v1, [`${subject}/v2.avsc`]: breaking })
    const { code, out } = await folder.schemas('check')
    expect(code).toBe(100)
    expect(out).toBe(`✗ orders-value  v2 → v1   FULL_TRANSITIVE
  schemas/avro/orders-value/v2.avsc:12:5  slot
      11 |     },
    > 12 |     {
         |     ^
      13 |       "name": "slot",
      14 |       "type": "string",
  error: field "slot" is new and has no default  [FIELD_NO_DEFAULT]
  Who breaks: v2 readers fail on records of v1 (backward)
  Since: v2, compared with schemas/avro/orders-value/v1.avsc:6:3
  Mend: write "type": ["null", "string"], "default": null
  A registry says: READER_FIELD_MISSING_DEFAULT_VALUE at /fields/1 (slot)
  More: waybill schemas explain FIELD_NO_DEFAULT

1 finding, 0 warnings · 1 subjects (0 new), 2 versions, each version with those before it · exit 100
`)
  })

  it('tells apart what is new, what was edited and what is gone, against git', async () => {
    const folder = opened({
      [`${subject}/v1.avsc`]: v1,
      [`${subject}/v2.avsc`]: sound,
      'schemas/avro/gone-value/v1.avsc': v1,
    })
    folder.git('init', '-q', '-b', 'main')
    folder.git('add', '.')
    folder.git('commit', '-q', '-m', 'one')
    expect((await folder.schemas('check', '--against', 'git:main')).code).toBe(0)
    folder.remove('schemas/avro/gone-value')
    folder.write(`${subject}/v2.avsc`, breaking)
    folder.write('schemas/avro/new-value/v1.avsc', v1)
    const { code, out } = await folder.schemas('check', '--against', 'git:main', '--json')
    const report = JSON.parse(out)
    const rules = report.subjects.map(
      ({ subject, remarks }: { subject: string; remarks: { rule: string }[] }) => [
        subject,
        remarks.map(({ rule }) => rule),
      ],
    )
    expect(code).toBe(100)
    expect(rules).toEqual([
      ['gone-value', ['VERSION_REMOVED']],
      ['new-value', []],
      ['orders-value', ['VERSION_CHANGED', 'FIELD_NO_DEFAULT', 'UNION_BRANCH_REMOVED']],
    ])
  })

  it('takes docs as no change, and finds an edited version by its id alone', async () => {
    const folder = opened({ [`${subject}/v1.avsc`]: v1 })
    folder.git('init', '-q', '-b', 'main')
    folder.git('add', '.')
    folder.git('commit', '-q', '-m', 'one')
    folder.write(`${subject}/v1.avsc`, record([field('order_id', 'string', { doc: 'Other words.' })]))
    expect((await folder.schemas('check', '--against', 'git:main')).code).toBe(0)
    folder.write('schemas/avro/ids.json', {
      next: 2,
      subjects: { 'orders-value': { v1: { id: 1, fingerprint: '0123456789abcdef' } } },
    })
    expect((await folder.schemas('check')).out).toContain('v1 changed since it got its id  [VERSION_CHANGED]')
  })

  it('ends with 2 for texts that are no schemas, unknown levels, formats, folders and revisions', async () => {
    const folder = opened({ [`${subject}/v1.avsc`]: '{"type": "record"\n "name": "A"}' })
    const broken = await folder.schemas('check')
    expect(broken.code).toBe(2)
    expect(broken.out).toContain('schemas/avro/orders-value/v1.avsc:2:2')
    expect(broken.out).toContain('[JSON_SYNTAX]')
    folder.write(`${subject}/v1.avsc`, v1)
    for (const [args, words] of [
      [['--level', 'FULL_TRANSITIV'], 'did you mean "FULL_TRANSITIVE"?'],
      [['--format', 'sarfi'], 'did you mean "sarif"?'],
      [['--folder', 'nowhere'], 'no such folder'],
      [['--against', 'git:main'], 'knows no revision "main"'],
      [['--against', 'git:--output=x'], 'knows no revision'],
    ] as const) {
      const ran = await folder.schemas('check', ...args)
      expect(ran.code, args.join(' ')).toBe(2)
      expect(ran.err).toContain(words)
    }
  })

  it('judges by the level of the subject, or by the one that is named', async () => {
    const folder = opened({
      [`${subject}/v1.avsc`]: v1,
      [`${subject}/v2.avsc`]: breaking,
      'schemas/avro/levels.json': { subjects: { 'orders-value': { level: 'FORWARD' } } },
    })
    expect((await folder.schemas('check')).code).toBe(0)
    expect((await folder.schemas('check', '--level', 'BACKWARD')).code).toBe(100)
  })
})

describe('suppressions', () => {
  const suppression = (more: object) => ({
    suppressions: [
      {
        rule: 'FIELD_NO_DEFAULT',
        subject: 'orders-value',
        reason: 'rebuilt',
        expires: '2026-12-31',
        ...more,
      },
    ],
  })
  const checked = (lint: object) =>
    opened({
      [`${subject}/v1.avsc`]: v1,
      [`${subject}/v2.avsc`]: breaking,
      'schemas/avro/lint.json': lint,
    }).schemas('check')

  it('hide a finding until their last day, and say so', async () => {
    const { code, out } = await checked(suppression({}))
    expect([code, out]).toEqual([0, expect.stringContaining('1 allowed by lint.json')])
  })

  it('that have ended are a finding, beside what they hid', async () => {
    const { code, out } = await checked(suppression({ expires: '2026-11-24' }))
    expect(code).toBe(100)
    expect(out).toContain('ended on 2026-11-24 (rebuilt)  [SUPPRESSION_EXPIRED]')
    expect(out).toContain('[FIELD_NO_DEFAULT]')
  })

  it.each([
    ['no reason', { reason: ' ' }, 'gives no reason'],
    ['no last day', { expires: 'soon' }, 'has no last day'],
    ['no rule', { rule: 'NO_SUCH' }, '"NO_SUCH" is no rule'],
    ['a rule about texts that are no schema', { rule: 'JSON_SYNTAX' }, 'cannot be suppressed'],
  ])('with %s hide nothing', async (_, more, words) => {
    const { code, out } = await checked(suppression(more))
    expect(code).toBe(100)
    expect(out).toContain(words)
    expect(out).toContain('[FIELD_NO_DEFAULT]')
  })

  it('that hide nothing are a warning', async () => {
    const { code, out } = await checked({
      suppressions: [
        ...suppression({}).suppressions,
        { ...suppression({}).suppressions[0], rule: 'FIELD_REMOVED' },
      ],
    })
    expect([code, out]).toEqual([0, expect.stringContaining('[SUPPRESSION_UNUSED]')])
  })
})

describe('the formats', () => {
  const folder = () => opened({ [`${subject}/v1.avsc`]: v1, [`${subject}/v2.avsc`]: breaking })

  it('github: one annotation on the line, escaped', async () => {
    const { out } = await folder().schemas('check', '--format', 'github')
    expect(out).toMatch(
      /^::error file=schemas\/avro\/orders-value\/v2\.avsc,line=12,col=5,title=FIELD_NO_DEFAULT::.*%0AMend: .*\n$/,
    )
  })

  it('junit: a suite per subject, a failed case per finding', async () => {
    const { out } = await folder().schemas('check', '--format', 'junit')
    expect(out).toContain('<testsuite name="orders-value" tests="1" failures="1">')
    expect(out).toContain('<failure message="field &quot;slot&quot; is new and has no default">')
  })

  it('sarif: rules, places, and the other side', async () => {
    const { out } = await folder().schemas('check', '--format', 'sarif')
    const { runs } = JSON.parse(out)
    expect(runs[0].tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(['FIELD_NO_DEFAULT'])
    expect(runs[0].results[0]).toMatchObject({
      level: 'error',
      locations: [{ physicalLocation: { region: { startLine: 12, startColumn: 5 } } }],
      relatedLocations: [{ physicalLocation: { artifactLocation: { uri: `${subject}/v1.avsc` } } }],
    })
  })
})

describe('schemas lint', () => {
  it('is clean on the schemas that ship', async () => {
    const { code, out } = await opened({ 'x.txt': '' }).schemas(
      'lint',
      '--folder',
      `${process.cwd()}/schemas/avro`,
    )
    expect([code, out]).toEqual([0, expect.stringMatching(/^0 findings, 0 warnings/)])
  })

  it.each(['customer_phone', 'otp', 'delivery_otp', 'mobile', 'rider_name', 'contactEmail'])(
    'fails for %s without a tag, and passes with one',
    async (name) => {
      const linted = (more: object) =>
        opened({
          [`${subject}/v1.avsc`]: record([field(name, ['null', 'string'], { default: null, ...more })]),
        }).schemas('lint')
      const untagged = await linted({})
      expect([untagged.code, untagged.out]).toEqual([100, expect.stringContaining('[PII_UNTAGGED]')])
      expect((await linted({ pii: 'personal' })).code).toBe(0)
    },
  )

  it('takes a name field of a record about a person as a name, and of a thing not', async () => {
    const linted = async (name: string) =>
      (await opened({ [`${subject}/v1.avsc`]: record([field('name', 'string')], { name }) }).schemas('lint'))
        .code
    expect([await linted('Customer'), await linted('Warehouse')]).toEqual([100, 0])
  })

  it('leaves what is masked, hashed or counted alone', async () => {
    const names = ['phone_masked', 'phone_last_digits', 'otp_hash', 'otp_count']
    const fields = names.map((name) => field(name, 'string'))
    expect((await opened({ [`${subject}/v1.avsc`]: record(fields) }).schemas('lint')).code).toBe(0)
  })
})
