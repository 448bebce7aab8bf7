/**
 * What members of a group tell each other in their user data: a member says what it may run and of which tasks it has
 * a copy, the leader answers which copies to keep. JSON with a version; what a member of another version does not
 * understand costs a preference, never correctness.
 */

/** A member's word to the leader. */
export interface MemberWord {
  /** Names of the sub-topologies that it runs; `undefined`: all of them. */
  readonly only: readonly string[] | undefined
  /** Task id → how many changelog offsets its copy is behind; 0 for a task that runs there. */
  readonly copies: ReadonlyMap<string, number>
}

/** The leader's word to a member. */
export interface LeaderWord {
  /** Tasks of which to keep a warm copy. */
  readonly standbys: readonly string[]
  /** Those of them that move here once the copy has caught up. */
  readonly warmUps: readonly string[]
  /** Names of the sub-topologies that no live member runs. */
  readonly unassigned: readonly string[]
}

const version = 1

export const writeMemberWord = ({ only, copies }: MemberWord): Uint8Array =>
  Buffer.from(JSON.stringify({ v: version, ...(only && { only }), copies: Object.fromEntries(copies) }))

export const writeLeaderWord = (word: LeaderWord): Uint8Array =>
  Buffer.from(JSON.stringify({ v: version, ...word }))

/** A member that says nothing readable runs everything and has no copies. */
export function readMemberWord(bytes: Uint8Array): MemberWord {
  const { only, copies } = parsed(bytes)
  const entries = typeof copies === 'object' && copies !== null ? Object.entries(copies) : []
  return {
    only: Array.isArray(only) ? only.map(String) : undefined,
    copies: new Map(
      entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] >= 0),
    ),
  }
}

/** A leader that says nothing readable asks for no copies. */
export function readLeaderWord(bytes: Uint8Array): LeaderWord {
  const { standbys, warmUps, unassigned } = parsed(bytes)
  return { standbys: texts(standbys), warmUps: texts(warmUps), unassigned: texts(unassigned) }
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []

function parsed(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length === 0) return {}
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    // A member of another program or version: it takes part without preferences.
    return {}
  }
}
