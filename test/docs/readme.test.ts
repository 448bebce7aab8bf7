import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultSource } from '../../processors/normalize/default-source.ts'
import { parseSourceMapping } from '../../processors/normalize/source-mapping.ts'
import { makeCodecs, makeSealer, openFolderRegistry } from '../../schemas/index.ts'
import { pipeline } from '../../topology/pipeline.ts'
import { makeTopics } from '../../topology/topics.ts'
import { root } from '../tidy/source-files.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

describe('the README', () => {
  it('shows the topology as the program draws it', () => {
    const codecs = makeCodecs(openFolderRegistry())
    const parsed = parseSourceMapping(defaultSource)
    if ('problems' in parsed) throw new Error('the default mapping has problems')
    const sealer = makeSealer({
      keys: [{ id: 'k', key: new Uint8Array(32) }],
      active: 'k',
      random: { bytes: (size) => new Uint8Array(size) },
    })
    const drawn = pipeline({ topics: makeTopics(codecs), codecs, sealer, mapping: parsed.mapping }).mermaid()
    const shown = /```mermaid\n([\s\S]*?)\n```/.exec(readme)?.[1]
    expect(shown).toBe(drawn)
  })

  it('shows the two commands that need no previous step', () => {
    expect(readme).toContain('npm start')
    expect(readme).toContain('npm test')
  })
})
