/** What a coordinator in this process knows of a group and of its members. */
import type { GroupMetadata, JoinOptions, TopicPartition } from './port.ts'
import { createSignal, type Deferred, deferred, type Signal } from './signal.ts'

export interface Member {
  readonly options: JoinOptions
  readonly memberId: string
  state: 'live' | 'leaving' | 'gone'
  /** Whether its first assignment was handed over, i.e. whether `join` has resolved. */
  joined: boolean
  generation: number
  owned: readonly TopicPartition[]
  /** Since when the coordinator hears nothing, on the clock. */
  silentSince: number | undefined
  readonly assigned: Deferred<void>
  readonly left: Deferred<void>
  /** Raised when it thaws or is put out. */
  readonly changed: Signal
}

export interface GroupState {
  readonly id: string
  readonly members: Map<string, Member>
  /** Members that were put out while frozen: they do not know yet. */
  readonly unaware: Map<string, { member: Member; lost: readonly TopicPartition[] }>
  generation: number
  wanted: boolean
  running: Promise<void> | undefined
}

/** A member that has asked to join and was assigned nothing yet. */
export const createMember = (options: JoinOptions, memberId: string): Member => ({
  options,
  memberId,
  state: 'live',
  joined: false,
  generation: -1,
  owned: [],
  silentSince: undefined,
  assigned: deferred(),
  left: deferred(),
  changed: createSignal(),
})

export const createGroup = (id: string): GroupState => ({
  id,
  members: new Map(),
  unaware: new Map(),
  generation: 0,
  wanted: false,
  running: undefined,
})

/** A function, because the state changes during waits, which the compiler's narrowing does not see. */
export const isGone = (member: Member): boolean => member.state === 'gone'

/** Why a commit under this identity is to be refused, if it is. */
export function complaintAbout(group: GroupState | undefined, metadata: GroupMetadata): string | undefined {
  const member = group?.members.get(metadata.instanceId)
  if (!group || !member) return `${metadata.instanceId} is not a member`
  if (member.memberId !== metadata.memberId) {
    return `${metadata.instanceId} is now another process (${member.memberId}, not ${metadata.memberId})`
  }
  if (metadata.generation !== group.generation) {
    return `generation ${metadata.generation} is over; it is ${group.generation} now`
  }
  return undefined
}
