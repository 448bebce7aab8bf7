import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeVetting, strictEgress } from '../../connectors/webhook/address-vetting.ts'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { parseSourceMapping } from '../../processors/normalize/source-mapping.ts'
import { endpointDefaults } from './partner-settings.ts'
import { readPartnersFile } from './partners.ts'
import { defaultSourceFile, parseSource, readSourceFile } from './source.ts'
import { parseYaml, readYamlFile } from './yaml-file.ts'

/** The problems of whatever `act` throws, one per line. */
const problemsOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'none'
}

describe('a YAML file', () => {
  it('is told by line when it is not YAML', () => {
    expect(problemsOf(() => parseYaml('x.yaml', 'a: 1\nb: "open\n'))).toMatch(
      /^this is not valid YAML: .* \(x\.yaml:\d\) — /,
    )
    expect(problemsOf(() => parseYaml('x.yaml', 'a: 1\nb: 2\na: 3\n'))).toMatch(
      /unique.*\(x\.yaml:3\) — keep one/,
    )
    expect(problemsOf(() => parseYaml('x.yaml', 'a:\n\tb: 1\n'))).toMatch(
      /\(x\.yaml:2\) — indent with spaces/,
    )
  })

  it('knows where a value stands, and the nearest parent of one that is missing', () => {
    const file = parseYaml('x.yaml', '# top\nlist:\n  - a: 1\n  - b:\n      c: 2\n')
    expect(file.place(['list', 0, 'a'])).toEqual({ file: 'x.yaml', line: 3 })
    expect(file.place(['list', 1, 'b', 'c'])).toEqual({ file: 'x.yaml', line: 5 })
    expect(file.place(['list', 1, 'z', 'y'])).toEqual({ file: 'x.yaml', line: 4 })
    expect(file.place([])).toEqual({ file: 'x.yaml', line: 2 })
    expect(parseYaml('x.yaml', '').place(['a'])).toEqual({ file: 'x.yaml' })
  })

  it('refuses aliases that would blow up', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (let at = 1; at < 9; at++) {
      const [from, to] = [String.fromCharCode(96 + at), String.fromCharCode(97 + at)]
      bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(',')}]`)
    }
    expect(problemsOf(() => parseYaml('x.yaml', bomb.join('\n')))).toContain('write the values out')
  })

  it('is told by name when it cannot be read', () => {
    expect(problemsOf(() => readYamlFile('/nowhere/x.yaml'))).toBe(
      'there is no such file (/nowhere/x.yaml) — check the path',
    )
    expect(problemsOf(() => readYamlFile('/'))).toContain('this is a folder, not a file')
  })
})

describe('the default source.yaml', () => {
  it('says exactly what the built-in default says', () => {
    expect(readYamlFile(defaultSourceFile).value).toEqual(defaultSource)
    expect({ mapping: readSourceFile() }).toEqual(parseSourceMapping(defaultSource))
  })
})

describe('a source.yaml', () => {
  it('that is wrong is told by line, all problems at once', () => {
    const text = 'default_region: IN\nsources:\n  - name: x\n    role: order\n    topics: [a.orders]\n'
    const problems = problemsOf(() => parseSource(parseYaml('s.yaml', text)))
    expect(problems).toMatch(/\(s\.yaml:4\) — /)
    expect(problems.split('\n').length).toBeGreaterThan(1)
  })
})

describe('the example partners.yaml', () => {
  it('is valid and shows what it says', () => {
    const path = fileURLToPath(new URL('../defaults/partners.yaml', import.meta.url))
    const partners = readPartnersFile(path, {
      env: { ACME_API_KEY: 'k' },
      vetting: makeVetting(strictEgress),
    })
    expect(partners.map(({ id }) => id)).toEqual(['acme-retail', 'bharat-books'])
    expect(partners[0]?.endpoints[0]).toEqual({
      ...endpointDefaults,
      id: 'acme-orders',
      url: 'https://hooks.acme.example/waybill',
      events: ['*'],
      version: 'v2',
      secrets: [],
      ratePerSecond: 20,
      headers: [
        { name: 'x-tenant', value: 'acme' },
        { name: 'x-api-key', value: 'k' },
      ],
      state: 'active',
      timeoutMs: 10_000,
      maxConcurrent: 4,
      maxAgeMs: { out_for_delivery: 1_800_000, delivered: 86_400_000 },
    })
    expect(partners[1]?.endpoints[0]?.state).toBe('paused')
  })
})
