/** A data directory that a newer version wrote, as whoever starts an older one on it is told. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServiceFolder, serviceFolder } from './service.ts'

describe('data of a newer version', () => {
  let service: ServiceFolder
  beforeEach(async () => {
    service = await serviceFolder()
  })
  afterEach(async () => {
    await service.close()
  })

  it.each([
    ['log', 'waybill-log'],
    ['state', 'waybill-state'],
  ])(
    'in %s/ is refused in one line that says what, where and what to start, and stays as it is',
    async (part, name) => {
      mkdirSync(service.path('data', part), { recursive: true })
      const file = service.path('data', part, 'format')
      writeFileSync(file, `${name} 99\n`)
      const { code, err } = await service.waybill('run', '--config', 'waybill.yaml')
      expect(code).toBe(3)
      expect(err.trimEnd().split('\n').at(-1)).toMatch(
        new RegExp(
          `^waybill: the .* cannot be opened: ${file} says version 99, .* newer version; start that one`,
        ),
      )
      expect(readFileSync(file, 'utf8')).toBe(`${name} 99\n`)
    },
  )
})
