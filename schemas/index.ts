/** The public face of schemas/: types, codecs, sealing, payload. Everything else in the folder is private to it. */
export type { Codec } from './codec.ts'
export type { Codecs } from './codecs.ts'
export { SchemaError, type SchemaReason, SealingError, type SealingReason } from './errors.ts'
export type * from './generated/types.ts'
export type { RegisteredSchema, Registry } from './registry.ts'
export type { Sealer } from './sealing.ts'
