/** ListGroups v2, DescribeGroups v4 and DeleteGroups v1: which consumer groups there are, and who is in them. */
import type { Api } from './api.ts'
import type { WireReader } from './primitives.ts'

export interface ListedGroup {
  readonly groupId: string
  /** `consumer`, `connect`, or empty for groups that only commit offsets. */
  readonly protocolType: string
}

export interface ListGroupsReply {
  readonly error: number
  readonly groups: readonly ListedGroup[]
}

/** Each broker answers for the groups that it coordinates. */
export const listGroupsApi: Api<null, ListGroupsReply> = {
  name: 'ListGroups',
  key: 16,
  version: 2,
  flexible: false,
  encode() {},
  decode(from) {
    from.int32() // throttle
    return {
      error: from.int16(),
      groups: from.array(() => ({ groupId: from.string(), protocolType: from.string() })),
    }
  },
}

export interface DescribedMember {
  readonly memberId: string
  /** Static members only. */
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
}

export interface DescribedGroup {
  readonly error: number
  readonly groupId: string
  /** `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Empty` or `Dead` (which is also: does not exist). */
  readonly state: string
  readonly protocolType: string
  readonly members: readonly DescribedMember[]
}

export const describeGroupsApi: Api<readonly string[], readonly DescribedGroup[]> = {
  name: 'DescribeGroups',
  key: 15,
  version: 4,
  flexible: false,
  encode: (out, groupIds) => out.array(groupIds, (to, groupId) => to.string(groupId)).boolean(false),
  decode(from) {
    from.int32() // throttle
    return from.array(readGroup)
  },
}

function readGroup(from: WireReader): DescribedGroup {
  const error = from.int16()
  const groupId = from.string()
  const state = from.string()
  const protocolType = from.string()
  from.string() // the assignor
  const members = from.array(readMember)
  from.int32() // operations allowed, not asked for
  return { error, groupId, state, protocolType, members }
}

function readMember(from: WireReader): DescribedMember {
  const member = {
    memberId: from.string(),
    instanceId: from.nullableString(),
    clientId: from.string(),
    clientHost: from.string(),
  }
  from.nullableBytes() // what it joined with
  from.nullableBytes() // what it was assigned
  return member
}

export interface DeletedGroup {
  readonly groupId: string
  readonly error: number
}

export const deleteGroupsApi: Api<readonly string[], readonly DeletedGroup[]> = {
  name: 'DeleteGroups',
  key: 42,
  version: 1,
  flexible: false,
  encode: (out, groupIds) => out.array(groupIds, (to, groupId) => to.string(groupId)),
  decode(from) {
    from.int32() // throttle
    return from.array(() => ({ groupId: from.string(), error: from.int16() }))
  },
}
