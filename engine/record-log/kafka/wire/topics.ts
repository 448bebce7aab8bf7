/** CreateTopics v4 and DeleteTopics v3. */
import type { Api } from './api.ts'

export interface CreatableTopic {
  readonly name: string
  readonly partitions: number
  /** -1: as many as the cluster's default says. */
  readonly replicationFactor: number
  readonly configs: ReadonlyMap<string, string>
}

export interface CreateTopicsRequest {
  readonly topics: readonly CreatableTopic[]
  readonly timeoutMs: number
}

export interface TopicResult {
  readonly name: string
  readonly error: number
  /** The broker's own words, or null. */
  readonly message: string | null
}

export const createTopicsApi: Api<CreateTopicsRequest, readonly TopicResult[]> = {
  name: 'CreateTopics',
  key: 19,
  version: 4,
  flexible: false,
  encode(out, { topics, timeoutMs }) {
    out.array(topics, (to, { name, partitions, replicationFactor, configs }) => {
      to.string(name).int32(partitions).int16(replicationFactor)
      to.array([], () => {}) // no assignment by hand
      to.array([...configs], (_, [key, value]) => to.string(key).string(value))
    })
    out.int32(timeoutMs).boolean(false)
  },
  decode(from) {
    from.int32() // throttle
    return from.array(() => ({
      name: from.string(),
      error: from.int16(),
      message: from.nullableString(),
    }))
  },
}

export interface DeleteTopicsRequest {
  readonly names: readonly string[]
  readonly timeoutMs: number
}

export const deleteTopicsApi: Api<DeleteTopicsRequest, readonly TopicResult[]> = {
  name: 'DeleteTopics',
  key: 20,
  version: 3,
  flexible: false,
  encode: (out, { names, timeoutMs }) => out.array(names, (to, name) => to.string(name)).int32(timeoutMs),
  decode(from) {
    from.int32() // throttle
    return from.array(() => ({ name: from.string(), error: from.int16(), message: null }))
  },
}
