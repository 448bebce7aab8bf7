/** The public face of schemas/: types, codecs, registry, sealing, privacy, payload. The rest of the folder is private. */

export { parseSchema } from './avro-schema.ts'
export { type Codec, makeCodec, schemaIdOf } from './codec.ts'
export { type Codecs, makeCodecs } from './codecs.ts'
export { attemptDefaults, commandDefaults, historyDefaults } from './delivery-defaults.ts'
export { diffSchemas, type SchemaChange } from './diff/diff-schemas.ts'
export { endpointDefaults } from './endpoint-defaults.ts'
export { SchemaError, type SchemaReason, SealingError, type SealingReason } from './errors.ts'
export { openFolderRegistry } from './folder-registry.ts'
export { readLevelPolicy } from './folder-registry-check.ts'
export type { PayloadVersion } from './generated/payload-shapes.ts'
export type * from './generated/types.ts'
export { type KeyFile, type ListedKey, newKeyFile, parseKeyFile, serializeKeyFile } from './key-file.ts'
export { changedSinceId } from './lint/changed-since-id.ts'
export { type CheckInput, checkSchemas, type SubjectCheck } from './lint/check-schemas.ts'
export { type CatalogueRule, type LintRuleId, lintRules, ruleCatalogue } from './lint/lint-rules.ts'
export { lintSchemas } from './lint/lint-schemas.ts'
export type { Remark } from './lint/remark.ts'
export { schemaIdentity } from './lint/schema-identity.ts'
export { gatherTexts, readSchemaTexts, type SchemaTexts } from './lint/schema-texts.ts'
export {
  applySuppressions,
  type LintSettings,
  lintFile,
  noLintSettings,
  parseLintSettings,
} from './lint/suppressions.ts'
export { type MessageDecoder, makeMessageDecoder } from './message-decoder.ts'
export {
  applicableFields,
  buildPayload,
  type ConditionalField,
  type PayloadSource,
  type SentEvent,
  sentEvents,
} from './payload/fields.ts'
export { type ProjectedBody, projectBody } from './payload/project-body.ts'
export { payloadReference } from './payload/reference.ts'
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
export { generatePayloadShapes } from './payload/shape-generator.ts'
export { answerVersionHeaders, type VersionHeaders, versionHeaders } from './payload/version-headers.ts'
export {
  brokenPromises,
  dayMs,
  type PayloadRelease,
  type PinnedEndpoint,
  payloadReleases,
  promisedMonths,
  retirementObstacles,
  standingOf,
  type VersionStanding,
} from './payload/versions.ts'
export { makePrivacy, maskTagged, maskText, type PiiField, type Privacy } from './pii.ts'
export { isPii, type PiiTreatment, piiTreatment } from './pii-treatment.ts'
export type { RegisteredSchema, Registry } from './registry.ts'
export { readSchemaFolder, type SchemaFile, shippedSchemaFolder } from './schema-folder.ts'
export { schemaFingerprint } from './schema-ids.ts'
export { makeSealer, type Sealer, type SealerOptions, type SealingKey, sealedMarks } from './sealing.ts'
export { isTestOrder, testOrderPrefix } from './test-orders.ts'
export { generateTypes } from './type-generator.ts'
export {
  detailCharactersMax,
  keptKeyBytesMax,
  keptValueBytesMax,
  makeUndecodable,
  type RefusedInput,
  redactedPreview,
  undecodableKey,
} from './undecodable.ts'
