/** The engine's public face. Everything else under `engine/` is private to it. */
export * from './clock.ts'
export { type TopologyBuilder, topologyBuilder } from './graph/builder.ts'
export { RecordRejected, TopologyError } from './graph/errors.ts'
export * from './graph/processor.ts'
export type {
  GlobalTableHandle,
  KeyedStream,
  ProcessorOutputs,
  RekeyedStream,
  Table,
  Wiring,
} from './graph/stream.ts'
export { defaultMaxRecordBytes, defineTopic, type Topic, type TopicOptions } from './graph/topic.ts'
export { changelogName, type Topology } from './graph/topology.ts'
export { logFormat } from './record-log/embedded/database.ts'
export {
  type EmbeddedLog,
  type EmbeddedLogOptions,
  openEmbeddedLog,
} from './record-log/embedded/embedded-log.ts'
export { createLogCopy, type LogCopy } from './record-log/embedded/log-copy.ts'
export type { LogEntry, LogSnapshot } from './record-log/embedded/snapshot.ts'
export { KafkaAccessError } from './record-log/kafka/access.ts'
export { type KafkaLog, type KafkaLogOptions, openKafkaLog } from './record-log/kafka/kafka-log.ts'
export type { KafkaSasl, KafkaTls } from './record-log/kafka/security.ts'
export { createMemoryLog, type MemoryLog } from './record-log/memory/memory-log.ts'
export { partitionFor } from './record-log/partitioner.ts'
export * from './record-log/port.ts'
export { type Application, type ApplicationOptions, createApplication } from './runtime/application.ts'
export type { BulkWrite, Report } from './runtime/bulk-sink.ts'
export { changelogFormat } from './runtime/changelog-format.ts'
export type { Counters } from './runtime/counters.ts'
export type { DeadLetter, RejectedRecord } from './runtime/dead-letter.ts'
export { LostPositionError } from './runtime/lost-position.ts'
export { makePreparation, type Preparation } from './runtime/preparation.ts'
export {
  changelogConfig,
  changelogPattern,
  type TopologyNeeds,
  topologyNeeds,
} from './runtime/topology-needs.ts'
export { avroSerde } from './serdes/avro/avro-serde.ts'
export * from './serdes/serde.ts'
export type { Disk, DiskFactory } from './stores/disk.ts'
export { DirectoryError } from './stores/disk-directory.ts'
export { levelDisks } from './stores/level-disk.ts'
export { memoryDisks } from './stores/memory-disk.ts'
