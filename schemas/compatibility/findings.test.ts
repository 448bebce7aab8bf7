import { describe, expect, it } from 'vitest'
import type { Finding } from './finding.ts'
import { check, type Field, field, id, note, record } from './testing/subject-check.ts'

const at = ({ place }: Finding) => `${place.file}:${place.line}:${place.column}`

describe('a finding', () => {
  it('says what breaks, where, since when, who breaks, what a registry would say and what to do', () => {
    const report = check(
      'FULL_TRANSITIVE',
      record([id]),
      record([id, note]),
      record([id, note, field('slot', 'long')]),
    )
    expect(report.findings).toEqual([
      {
        rule: 'FIELD_NO_DEFAULT',
        severity: 'error',
        subject: 'order-value',
        message: 'field "slot" is new and has no default',
        mend: 'write "type": ["null", "long"], "default": null',
        since: 3,
        direction: 'backward',
        breaks: [
          { reader: 3, writer: 1 },
          { reader: 3, writer: 2 },
        ],
        who: 'v3 readers fail on records of v1 and v2',
        field: 'slot',
        registry: { type: 'READER_FIELD_MISSING_DEFAULT_VALUE', path: '/fields/2', message: 'slot' },
        place: { file: 'order/v3.avsc', line: 18, column: 5, pointer: '/fields/2' },
        other: { file: 'order/v1.avsc', line: 5, column: 3, pointer: '/fields' },
      },
    ])
  })

  it('is one, told at the version that brought it, however many versions it concerns', () => {
    const gone = record([note])
    const report = check(
      'FORWARD_TRANSITIVE',
      record([id, note]),
      record([id, note, field('x', 'int')]),
      gone,
      gone,
    )
    expect(report.findings).toMatchObject([
      { rule: 'FIELD_REMOVED', since: 3, field: 'id', who: 'v1 and v2 readers fail on records of v3 and v4' },
      { rule: 'FIELD_REMOVED', since: 3, field: 'x', who: 'v2 readers fail on records of v3 and v4' },
    ])
  })

  it('names the true cause inside a nullable record, where a registry names the union', () => {
    const delivery = (fields: readonly Field[]) =>
      record([field('delivery', ['null', { type: 'record', name: 'Delivery', fields }])])
    const report = check('BACKWARD', delivery([id]), delivery([id, field('slot', 'string')]))
    expect(report.findings).toMatchObject([
      {
        rule: 'FIELD_NO_DEFAULT',
        message: 'field "delivery.slot" is new and has no default',
        place: { pointer: '/fields/0/type/1/fields/1', line: 18, column: 13 },
        registry: {
          type: 'MISSING_UNION_BRANCH',
          path: '/fields/0/type/1',
          message: 'reader union lacking writer type: RECORD',
        },
      },
    ])
  })

  it('recognises a renamed record inside a union', () => {
    const rider = (name: string) => record([field('rider', ['null', { type: 'record', name, fields: [id] }])])
    expect(check('BACKWARD', rider('Rider'), rider('Courier')).findings).toMatchObject([
      {
        rule: 'NAME_CHANGED',
        message: 'record dev.waybill.Rider is now record dev.waybill.Courier (field "rider")',
        mend: expect.stringContaining('"aliases": ["dev.waybill.Rider"]'),
      },
    ])
  })

  it('sees through types of the same words that refer to another type of the same name', () => {
    const node = (value: string) => ({
      type: 'record',
      name: 'Node',
      fields: [
        field('leaf', { type: 'record', name: 'Leaf', fields: [field('owner', ['null', 'Node'])] }),
        field('value', value),
      ],
    })
    // Leaf reads the same in both versions; what it points to is compared nowhere else.
    const before = record([field('root', node('int')), field('leaf', 'Leaf')])
    const after = record([field('other', ['null', node('string')], { default: null }), field('leaf', 'Leaf')])
    expect(check('BACKWARD', before, after).findings).toMatchObject([
      { rule: 'TYPE_CHANGED', field: 'leaf.owner.value' },
    ])
  })

  it('comes in the order of versions and places', () => {
    const report = check(
      'FULL_TRANSITIVE',
      record([id, field('b', 'int'), field('a', 'int')]),
      record([id, field('b', 'string'), field('a', 'string')]),
      record([id, field('b', 'string'), field('a', 'string'), field('c', 'int')]),
    )
    expect(report.findings.map((finding) => `${finding.rule} ${at(finding)}`)).toEqual([
      'TYPE_CHANGED order/v2.avsc:12:7',
      'TYPE_CHANGED order/v2.avsc:12:7',
      'TYPE_CHANGED order/v2.avsc:16:7',
      'TYPE_CHANGED order/v2.avsc:16:7',
      'FIELD_NO_DEFAULT order/v3.avsc:18:5',
    ])
  })
})
