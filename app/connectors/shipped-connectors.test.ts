import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { shippedConnectorPaths } from '../../connectors/debezium/connector-files.ts'
import { capturedTopics } from '../../topology/topics.ts'

describe('the connectors that ship', () => {
  it('write to the topics that the pipeline reads', () => {
    for (const database of ['mariadb', 'mysql', 'postgresql'] as const) {
      const targets = shippedConnectorPaths(database).map((path) => {
        const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
        const table = `${config['topic.prefix']}.${config['table.include.list']}`
        const matcher = new RegExp(`^${config['transforms.name.regex']}$`)
        expect(table).toMatch(matcher)
        return table.replace(matcher, config['transforms.name.replacement'] ?? '')
      })
      expect(targets.sort()).toEqual(Object.values(capturedTopics).sort())
    }
  })
})
