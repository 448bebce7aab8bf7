/** The port to a schema registry. The types live with the codecs that use them; adapters take them from here. */
export type { RegisteredSchema, Registry } from '../schemas/index.ts'
