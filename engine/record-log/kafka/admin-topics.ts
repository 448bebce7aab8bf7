/** The administration of topics: creating them with the settings they need, describing, changing and deleting them. */
import { admitTopic } from '../admission.ts'
import { LogError, type TopicDescription } from '../port.ts'
import type { Cluster, TopicView } from './cluster-view.ts'
import { BrokerError, checkCode, errorCode } from './error-table.ts'
import {
  describedSettings,
  futureTimestamps,
  kafkaSettings,
  kafkaSettingsChange,
  topicConfigOf,
} from './topic-configs.ts'
import { describeConfigsApi, incrementalAlterConfigsApi, type TopicConfigChange } from './wire/configs.ts'
import { createTopicsApi, deleteTopicsApi, type TopicResult } from './wire/topics.ts'

export interface TopicAdminParts {
  readonly cluster: Cluster
  /** Copies of each partition. Default: three, or as many as there are brokers. */
  readonly replicationFactor?: number
  /** Makes the call again while it throws something `retriable`. */
  readonly retrying: <T>(call: () => Promise<T>) => Promise<T>
}

export interface TopicAdmin {
  createTopics(topics: readonly TopicDescription[]): Promise<void>
  describeTopics(names: readonly string[]): Promise<Map<string, TopicDescription | undefined>>
  /** Changes only the settings that are named; `null` goes back to the default. */
  alterTopics(changes: readonly TopicConfigChange[]): Promise<void>
  configureTopics(topics: readonly TopicDescription[]): Promise<void>
  /** Deletes topics with all their records; one that does not exist is no error. */
  deleteTopics(names: readonly string[]): Promise<void>
}

const timeoutMs = 10_000
/** Three copies outlive the loss of one broker while a write still reaches two. */
const copies = 3

/** Makes the topics' part of the admin. */
export function topicAdmin({ cluster, replicationFactor, retrying }: TopicAdminParts): TopicAdmin {
  async function views(names: readonly string[]): Promise<Map<string, TopicView>> {
    return cluster.topics(names, { maxAgeMs: 0 })
  }

  async function create(topics: readonly TopicDescription[]): Promise<void> {
    const controller = await cluster.controller()
    const factor = replicationFactor ?? Math.min(copies, cluster.brokers().length)
    const minInSync = factor >= copies ? factor - 1 : 1
    const wanted = (without: string | undefined) =>
      topics.map(({ name, partitions, config }) => {
        const configs = kafkaSettings(config, minInSync)
        if (without !== undefined) configs.delete(without)
        return { name, partitions, replicationFactor: factor, configs }
      })
    let results = await controller.send(createTopicsApi, { topics: wanted(undefined), timeoutMs })
    // Kafka before 3.6 does not know the setting, and does not need it.
    const strange = results.some(({ error, message }) => error !== 0 && message?.includes(futureTimestamps))
    if (strange) {
      results = await controller.send(createTopicsApi, { topics: wanted(futureTimestamps), timeoutMs })
    }
    for (const result of results) {
      if (result.error !== errorCode.topicAlreadyExists) checkResult(result, 'CreateTopics')
    }
  }

  /** A topic is there when all its partitions have a leader; brokers hear of it one after the other. */
  async function awaitTopics(topics: readonly TopicDescription[]): Promise<void> {
    const found = await views(topics.map(({ name }) => name))
    for (const topic of topics) {
      const view = found.get(topic.name)
      if (!view || view.partitions.some(({ leader }) => leader < 0)) {
        throw new LogError('retriable', `topic ${topic.name} was created and has no leader yet`)
      }
      admitTopic(topic, { ...topic, partitions: view.partitions.length })
    }
  }

  async function alter(changes: readonly TopicConfigChange[]): Promise<void> {
    if (changes.length === 0) return
    await retrying(async () => {
      const broker = await cluster.controller()
      for (const result of await broker.send(incrementalAlterConfigsApi, changes)) {
        checkResult(result, 'IncrementalAlterConfigs')
      }
    })
  }

  return {
    async createTopics(topics) {
      if (topics.length === 0) return
      const existing = await retrying(() => views(topics.map(({ name }) => name)))
      const missing = topics.filter((topic) => {
        const view = existing.get(topic.name)
        return admitTopic(topic, view && { ...topic, partitions: view.partitions.length })
      })
      if (missing.length === 0) return
      await retrying(() => create(missing))
      await retrying(() => awaitTopics(missing))
    },
    async describeTopics(names) {
      const described = new Map<string, TopicDescription | undefined>(names.map((name) => [name, undefined]))
      if (names.length === 0) return described
      return retrying(async () => {
        const found = await views(names)
        if (found.size === 0) return described
        const broker = await cluster.anyBroker()
        const request = { topics: [...found.keys()], keys: describedSettings }
        for (const configs of await broker.send(describeConfigsApi, request)) {
          // Deleted between the two questions.
          if (configs.error === errorCode.unknownTopicOrPartition) continue
          checkResult(configs, 'DescribeConfigs')
          const partitions = found.get(configs.name)?.partitions.length ?? 0
          described.set(configs.name, {
            name: configs.name,
            partitions,
            config: topicConfigOf(configs.entries),
          })
        }
        return described
      })
    },
    alterTopics: alter,
    configureTopics: (topics) =>
      alter(topics.map(({ name, config }) => ({ name, changes: kafkaSettingsChange(config) }))),
    async deleteTopics(names) {
      if (names.length === 0) return
      await retrying(async () => {
        const broker = await cluster.controller()
        for (const result of await broker.send(deleteTopicsApi, { names, timeoutMs })) {
          if (result.error !== errorCode.unknownTopicOrPartition) checkResult(result, 'DeleteTopics')
        }
      })
      cluster.invalidate(names)
    },
  }
}

/** Throws what the broker refused, in its own words where it has any. */
function checkResult({ name, error, message }: TopicResult, operation: string): void {
  if (error === 0) return
  const what = `${operation} of topic ${name}`
  if (message === null || message === '') checkCode(error, what)
  throw new BrokerError(error, `${what} (${message})`)
}
