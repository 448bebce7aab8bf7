/** What the pipeline and LOG together want of a log. Their graphs depend neither on keys nor on the mapping's details. */
import type { Random } from '../../engine/index.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { makeCodecs, makeSealer, openFolderRegistry } from '../../schemas/index.ts'
import { logTopology } from '../../topology/log.ts'
import { pipeline } from '../../topology/pipeline.ts'
import { makeTopics } from '../../topology/topics.ts'
import { type Wanted, wantedOf } from './wanted.ts'

export interface WantedPipelineOptions {
  readonly mapping: SourceMapping
  /** Partitions of the topics that are keyed by endpoint; `undefined`: the log's default. */
  readonly endpointPartitions: number | undefined
  readonly random: Random
}

export function wantedPipeline({ mapping, endpointPartitions, random }: WantedPipelineOptions): Wanted {
  const codecs = makeCodecs(openFolderRegistry())
  const topics = makeTopics(codecs, endpointPartitions === undefined ? {} : { endpointPartitions })
  const sealer = makeSealer({ keys: [{ id: 'drawing', key: random.bytes(32) }], active: 'drawing', random })
  return wantedOf([pipeline({ topics, codecs, sealer, mapping }), logTopology(topics)], Object.values(topics))
}
