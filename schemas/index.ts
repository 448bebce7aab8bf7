/** The public face of schemas/: types, codecs, registry, sealing, privacy, payload. The rest of the folder is private. */
export { type Codec, makeCodec, schemaIdOf } from './codec.ts'
export { type Codecs, makeCodecs } from './codecs.ts'
export { attemptDefaults, commandDefaults, historyDefaults } from './delivery-defaults.ts'
export { endpointDefaults } from './endpoint-defaults.ts'
export { SchemaError, type SchemaReason, SealingError, type SealingReason } from './errors.ts'
export { openFolderRegistry } from './folder-registry.ts'
export { readLevelPolicy } from './folder-registry-check.ts'
export type { PayloadVersion } from './generated/payload-shapes.ts'
export type * from './generated/types.ts'
export { type KeyFile, type ListedKey, newKeyFile, parseKeyFile, serializeKeyFile } from './key-file.ts'
export { type MessageDecoder, makeMessageDecoder } from './message-decoder.ts'
export {
  applicableFields,
  buildPayload,
  type ConditionalField,
  type PayloadSource,
  type SentEvent,
  sentEvents,
} from './payload/fields.ts'
export {
  isKnownTo,
  isPayloadVersion,
  type Json,
  maskBody,
  payloadVersions,
  projectPayload,
  type RenderOptions,
  renderBody,
} from './payload/render.ts'
export { makePrivacy, maskText, type PiiField, type Privacy } from './pii.ts'
export type { RegisteredSchema, Registry } from './registry.ts'
export { readSchemaFolder, type SchemaFile, shippedSchemaFolder } from './schema-folder.ts'
export { schemaFingerprint } from './schema-ids.ts'
export { makeSealer, type Sealer, type SealerOptions, type SealingKey, sealedMarks } from './sealing.ts'
export {
  detailCharactersMax,
  keptKeyBytesMax,
  keptValueBytesMax,
  makeUndecodable,
  type RefusedInput,
  redactedPreview,
  undecodableKey,
} from './undecodable.ts'
