/** FindCoordinator v2: which broker looks after a group or a transactional id. */
import type { Api } from './api.ts'

export interface FindCoordinatorRequest {
  readonly id: string
  readonly kind: 'group' | 'transaction'
}

export interface FindCoordinatorReply {
  readonly error: number
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export const findCoordinatorApi: Api<FindCoordinatorRequest, FindCoordinatorReply> = {
  name: 'FindCoordinator',
  key: 10,
  version: 2,
  flexible: false,
  encode(out, { id, kind }) {
    out.string(id).int8(kind === 'group' ? 0 : 1)
  },
  decode(from) {
    from.int32() // throttle
    const error = from.int16()
    from.nullableString() // message: the name of the error says as much
    return { error, nodeId: from.int32(), host: from.string(), port: from.int32() }
  },
}
