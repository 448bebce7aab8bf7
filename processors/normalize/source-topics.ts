/** Finds the block of a source mapping that a topic, and a record in it, belongs to. */
import type { SourceBlock, SourceMapping, SourceRole } from './source-blocks.ts'

const matchers = new WeakMap<SourceBlock, readonly RegExp[]>()

/**
 * What a topic is to a mapping. Heartbeats, transaction and DDL topics match no block and are `ignored`.
 * Where blocks of both roles match, the first one in the document decides.
 */
export function classifyTopic(name: string, mapping: SourceMapping): SourceRole | 'ignored' {
  return blocksOf(name, mapping)[0]?.role ?? 'ignored'
}

/** The blocks that name a topic, in the order of the document. */
export function blocksOf(name: string, mapping: SourceMapping): SourceBlock[] {
  return mapping.blocks.filter((block) => matchersOf(block).some((matcher) => matcher.test(name)))
}

/** The block for a record: the first that names its topic and takes its connector. */
export function blockFor(name: string, connector: string, mapping: SourceMapping): SourceBlock | undefined {
  return blocksOf(name, mapping).find((block) => block.connector === null || block.connector === connector)
}

/** A topic pattern as a regular expression over whole names; throws a SyntaxError for a bad `/expression/`. */
export function topicMatcher(pattern: string): RegExp {
  const expression = /^\/(.*)\/$/.exec(pattern)
  if (expression?.[1] !== undefined) return new RegExp(`^(?:${expression[1]})$`)
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}

function matchersOf(block: SourceBlock): readonly RegExp[] {
  let found = matchers.get(block)
  if (!found) {
    found = block.topics.map(topicMatcher)
    matchers.set(block, found)
  }
  return found
}
