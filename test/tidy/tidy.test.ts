import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeCodecs, openFolderRegistry } from '../../schemas/index.ts'
import { makeTopics } from '../../topology/topics.ts'
import {
  cycles,
  deepImports,
  hiddenTime,
  missingFiles,
  neighbourImports,
  testOnlyImports,
  topicNames,
  unfinished,
  walls,
  wallViolations,
} from './rules.ts'
import { filesBelow, readSource, root, type SourceFile } from './source-files.ts'

const sources = Object.keys(walls)
  .flatMap((folder) => filesBelow(folder, (name) => name.endsWith('.ts')))
  .map(readSource)
const pages = [
  ...filesBelow('docs', (name) => name.endsWith('.md')),
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].filter((name) => existsSync(join(root, name))),
].map(readSource)
const topics = Object.values(makeTopics(makeCodecs(openFolderRegistry()))).map(({ name }) => name)
const violating = (path: string, text: string): SourceFile => ({ path, text })

describe('the repository is tidy', () => {
  it('reads the sources at all', () => {
    expect(sources.length).toBeGreaterThan(100)
    expect(sources.some(({ path }) => path === 'engine/runtime/loop.ts')).toBe(true)
  })

  it('keeps the walls between the folders', () => {
    expect(sources.flatMap(wallViolations)).toEqual([])
  })

  it('states the same walls to the compiler', () => {
    for (const [folder, allowed] of Object.entries(walls)) {
      const config = JSON.parse(readFileSync(join(root, folder, 'tsconfig.json'), 'utf8'))
      const references = config.references.map(({ path }: { path: string }) => path.replace('../', ''))
      expect([folder, [...references].sort()]).toEqual([folder, [...allowed].sort()])
    }
  })

  it('enters the engine and the schemas through their index', () => {
    expect(sources.flatMap(deepImports)).toEqual([])
  })

  it('keeps processors and connectors apart from their neighbours', () => {
    expect(sources.flatMap(neighbourImports)).toEqual([])
  })

  it('keeps test code out of the product', () => {
    expect(sources.flatMap(testOnlyImports)).toEqual([])
  })

  it('has no import cycles', () => {
    expect(cycles(sources)).toEqual([])
  })

  it('names topics in one file', () => {
    expect(topics.length).toBeGreaterThan(10)
    expect(sources.flatMap((file) => topicNames(file, topics))).toEqual([])
  })

  it('takes time and chance from the clock', () => {
    expect(sources.flatMap(hiddenTime)).toEqual([])
  })

  it('has nothing unfinished by its own words', () => {
    expect(sources.flatMap(unfinished)).toEqual([])
  })

  it('names only files that exist in its documents', () => {
    expect(pages.length).toBeGreaterThan(2)
    expect(pages.flatMap((page) => missingFiles(page, (path) => existsSync(join(root, path))))).toEqual([])
  })

  it('has a lock file without download addresses', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved"')
  })
})

describe('each tidy rule can fail', () => {
  it('an import against the walls', () => {
    expect(wallViolations(violating('engine/x.ts', "import { y } from '../schemas/index.ts'"))).toHaveLength(
      1,
    )
    expect(
      wallViolations(violating('processors/a/x.ts', "import type { y } from '../../app/main.ts'")),
    ).toHaveLength(1)
  })

  it('a deep import, also as a type and over several lines', () => {
    expect(deepImports(violating('app/x.ts', "import { y } from '../engine/runtime/loop.ts'"))).toHaveLength(
      1,
    )
    expect(
      deepImports(violating('app/x.ts', "import type {\n  a,\n  b,\n} from '../schemas/codec.ts'")),
    ).toHaveLength(1)
  })

  it('a processor that imports another', () => {
    expect(
      neighbourImports(violating('processors/route/x.ts', "import { y } from '../deliver/deliver.ts'")),
    ).toHaveLength(1)
  })

  it('a product file that uses the test driver', () => {
    expect(testOnlyImports(violating('app/x.ts', "import { y } from '../engine/testing.ts'"))).toHaveLength(1)
  })

  it('a cycle', () => {
    const a = violating('app/a.ts', "import { b } from './b.ts'")
    const b = violating('app/b.ts', "export { a } from './a.ts'")
    expect(cycles([a, b])).toEqual(['app/a.ts → app/b.ts → app/a.ts'])
  })

  it('a topic name in the wrong place', () => {
    expect(topicNames(violating('app/x.ts', "const t = 'order.events'"), topics)).toHaveLength(1)
  })

  it('hidden time', () => {
    expect(hiddenTime(violating('app/x.ts', 'const now = Date.now()'))).toHaveLength(1)
  })

  it('unfinished work', () => {
    expect(unfinished(violating('app/x.ts', '// TODO: the rest'))).toHaveLength(1)
  })

  it('a document that names a file that is gone', () => {
    expect(missingFiles(violating('docs/x.md', 'see `engine/gone.ts`'), () => false)).toHaveLength(1)
  })
})
