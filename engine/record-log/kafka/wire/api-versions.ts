/** ApiVersions v3: which requests a broker takes, in which versions, and the features that its cluster has agreed on. */
import type { Api } from './api.ts'
import type { WireReader } from './primitives.ts'

export interface ApiVersionsRequest {
  readonly clientName: string
  readonly clientVersion: string
}

export interface ApiVersionsReply {
  /** 35 from a broker that does not know v3; everything else is then empty. */
  readonly error: number
  /** By api key. What a broker lists is not always what it takes: Produce is listed from 0 by Kafka 4. */
  readonly ranges: ReadonlyMap<number, { readonly min: number; readonly max: number }>
  /** The level that the whole cluster has agreed on, e.g. `transaction.version`: this decides, not the ranges. */
  readonly finalizedFeatures: ReadonlyMap<string, number>
}

const finalizedFeaturesTag = 2
const unsupportedVersion = 35

export const apiVersionsApi: Api<ApiVersionsRequest, ApiVersionsReply> = {
  name: 'ApiVersions',
  key: 18,
  version: 3,
  flexible: true,
  plainReplyHeader: true,
  encode: (out, { clientName, clientVersion }) => out.string(clientName).string(clientVersion).tags(),
  decode(from) {
    const error = from.int16()
    const ranges = new Map<number, { min: number; max: number }>()
    const finalizedFeatures = new Map<string, number>()
    if (error === unsupportedVersion) {
      // Such a broker answers in the form of v0, which this reader does not speak.
      from.skip(from.remaining)
      return { error, ranges, finalizedFeatures }
    }
    from.array(() => {
      ranges.set(from.int16(), { min: from.int16(), max: from.int16() })
      from.tags()
    })
    from.int32()
    from.tags((tag, value) => {
      if (tag === finalizedFeaturesTag) value.array(() => readFeature(value, finalizedFeatures))
    })
    return { error, ranges, finalizedFeatures }
  },
}

function readFeature(from: WireReader, features: Map<string, number>): void {
  const name = from.string()
  features.set(name, from.int16())
  from.int16()
  from.tags()
}
