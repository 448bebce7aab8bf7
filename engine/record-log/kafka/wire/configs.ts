/**
 * DescribeConfigs v2 and IncrementalAlterConfigs v0, for topics. The older AlterConfigs is not spoken: it resets every
 * setting that it is not told.
 */
import type { Api } from './api.ts'
import type { WireReader } from './primitives.ts'

const topicResource = 2

/** Where a value comes from: 1 is the topic itself, the rest are defaults of the broker or of Kafka. */
const setOnTopic = 1

export interface ConfigEntry {
  readonly value: string | null
  /** Whether it was set on this topic, and is no default. */
  readonly own: boolean
}

export interface TopicConfigs {
  readonly name: string
  readonly error: number
  readonly message: string | null
  readonly entries: ReadonlyMap<string, ConfigEntry>
}

export interface DescribeConfigsRequest {
  readonly topics: readonly string[]
  /** `null` asks for all. */
  readonly keys: readonly string[] | null
}

export const describeConfigsApi: Api<DescribeConfigsRequest, readonly TopicConfigs[]> = {
  name: 'DescribeConfigs',
  key: 32,
  version: 2,
  flexible: false,
  encode(out, { topics, keys }) {
    out.array(topics, (to, topic) => {
      to.int8(topicResource).string(topic)
      to.array(keys, (_, key) => to.string(key))
    })
    out.boolean(false)
  },
  decode(from) {
    from.int32() // throttle
    return from.array(readTopicConfigs)
  },
}

function readTopicConfigs(from: WireReader): TopicConfigs {
  const error = from.int16()
  const message = from.nullableString()
  from.int8()
  const name = from.string()
  const entries = from.array((): [string, ConfigEntry] => {
    const key = from.string()
    const value = from.nullableString()
    from.boolean() // read only
    const own = from.int8() === setOnTopic
    from.boolean() // sensitive
    from.array(() => [from.string(), from.nullableString(), from.int8()]) // synonyms
    return [key, { value, own }]
  })
  return { name, error, message, entries: new Map(entries) }
}

export interface TopicConfigChange {
  readonly name: string
  /** Only what is named is changed; `null` goes back to the default. */
  readonly changes: ReadonlyMap<string, string | null>
}

export interface ConfigResult {
  readonly name: string
  readonly error: number
  readonly message: string | null
}

const operations = { set: 0, delete: 1 } as const

export const incrementalAlterConfigsApi: Api<readonly TopicConfigChange[], readonly ConfigResult[]> = {
  name: 'IncrementalAlterConfigs',
  key: 44,
  version: 0,
  flexible: false,
  encode(out, topics) {
    out.array(topics, (to, { name, changes }) => {
      to.int8(topicResource).string(name)
      to.array([...changes], (_, [key, value]) =>
        to
          .string(key)
          .int8(value === null ? operations.delete : operations.set)
          .string(value),
      )
    })
    out.boolean(false)
  },
  decode(from) {
    from.int32() // throttle
    return from.array(() => {
      const error = from.int16()
      const message = from.nullableString()
      from.int8()
      return { error, message, name: from.string() }
    })
  },
}
