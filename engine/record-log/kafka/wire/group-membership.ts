/** The classic group protocol: JoinGroup v5, SyncGroup v3, Heartbeat v3, LeaveGroup v3, all with static membership. */
import type { Api } from './api.ts'

/** A member towards the coordinator. */
export interface MemberIdentity {
  readonly groupId: string
  /** -1 before the first join. */
  readonly generation: number
  /** Empty before the first join. */
  readonly memberId: string
  readonly instanceId: string
}

export interface JoinGroupRequest {
  readonly member: MemberIdentity
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocol: string
  readonly subscription: Uint8Array
}

export interface JoinedMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly subscription: Buffer
}

export interface JoinGroupReply {
  readonly error: number
  readonly generation: number
  /** Member id of the leader. */
  readonly leader: string
  readonly memberId: string
  /** For the leader alone. */
  readonly members: readonly JoinedMember[]
}

export const joinGroupApi: Api<JoinGroupRequest, JoinGroupReply> = {
  name: 'JoinGroup',
  key: 11,
  version: 5,
  flexible: false,
  encode(out, { member, sessionTimeoutMs, rebalanceTimeoutMs, protocol, subscription }) {
    out.string(member.groupId).int32(sessionTimeoutMs).int32(rebalanceTimeoutMs)
    out.string(member.memberId).string(member.instanceId).string('consumer')
    out.array([protocol], (_, name) => out.string(name).bytes(subscription))
  },
  decode(from) {
    from.int32() // throttle
    const error = from.int16()
    const generation = from.int32()
    from.nullableString() // protocol: we offer one
    const leader = from.string()
    const memberId = from.string()
    const members = from.array(() => ({
      memberId: from.string(),
      instanceId: from.nullableString(),
      subscription: from.nullableBytes() ?? Buffer.alloc(0),
    }))
    return { error, generation, leader, memberId, members }
  },
}

export interface SyncGroupRequest {
  readonly member: MemberIdentity
  /** From the leader; empty from everybody else. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

export const syncGroupApi: Api<SyncGroupRequest, { error: number; assignment: Buffer }> = {
  name: 'SyncGroup',
  key: 14,
  version: 3,
  flexible: false,
  encode(out, { member, assignments }) {
    out.string(member.groupId).int32(member.generation).string(member.memberId).string(member.instanceId)
    out.array(assignments, (_, { memberId, assignment }) => out.string(memberId).bytes(assignment))
  },
  decode(from) {
    from.int32() // throttle
    return { error: from.int16(), assignment: from.nullableBytes() ?? Buffer.alloc(0) }
  },
}

export const heartbeatApi: Api<MemberIdentity, { error: number }> = {
  name: 'Heartbeat',
  key: 12,
  version: 3,
  flexible: false,
  encode(out, member) {
    out.string(member.groupId).int32(member.generation).string(member.memberId).string(member.instanceId)
  },
  decode(from) {
    from.int32() // throttle
    return { error: from.int16() }
  },
}

export const leaveGroupApi: Api<MemberIdentity, { error: number }> = {
  name: 'LeaveGroup',
  key: 13,
  version: 3,
  flexible: false,
  encode(out, { groupId, memberId, instanceId }) {
    out.string(groupId)
    out.array([memberId], (_, id) => out.string(id).string(instanceId))
  },
  decode(from) {
    from.int32() // throttle
    const error = from.int16()
    const members = from.array(() => {
      from.string()
      from.nullableString()
      return from.int16()
    })
    return { error: error !== 0 ? error : (members.find((code) => code !== 0) ?? 0) }
  },
}
