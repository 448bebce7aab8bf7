/** The engine's public face. Everything else under `engine/` is private to it. */
export * from './clock.ts'
export * from './graph/processor.ts'
export { defaultMaxRecordBytes, defineTopic, type Topic, type TopicOptions } from './graph/topic.ts'
export * from './record-log/port.ts'
export * from './serdes/serde.ts'
