import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sentEvents } from './fields.ts'
import { projectBody } from './project-body.ts'
import { isKnownTo } from './render.ts'

const golden = (name: string): string =>
  readFileSync(new URL(`./golden/${name}.json`, import.meta.url), 'utf8').trim()

describe('a body projected to v1', () => {
  it.each(sentEvents.filter((event) => isKnownTo('v1', event)))(
    'is for %s what v1 partners are sent',
    (event) => {
      const projected = projectBody(JSON.parse(golden(`${event}.v2`)), 'v1')
      expect(projected).toMatchObject({ kind: 'projected', known: true })
      expect(projected.kind === 'projected' && JSON.stringify(projected.body)).toBe(golden(`${event}.v1`))
    },
  )

  it('says when v1 does not know the event', () => {
    const projected = projectBody(JSON.parse(golden('return_picked_up.v2')), 'v1')
    expect(projected).toMatchObject({ kind: 'projected', known: false, body: { event: 'UNKNOWN' } })
  })

  it('is refused with every reason where the body is none', () => {
    const { sla_due_at: _, ...body } = JSON.parse(golden('delivered.v2'))
    expect(projectBody({ ...body, rider: null }, 'v1')).toEqual({
      kind: 'refused',
      problems: [expect.stringContaining('sla_due_at is missing'), 'rider must be an object'],
    })
    expect(projectBody([], 'v1')).toMatchObject({ kind: 'refused' })
    expect(projectBody({ ...body, schema_version: 'v3' }, 'v1')).toMatchObject({ kind: 'refused' })
    expect(projectBody(JSON.parse(golden('delivered.v1')), 'v2')).toMatchObject({ kind: 'refused' })
  })
})
