/**
 * A member's requests to its group's coordinator, over two sockets: a join may be parked for as long as a rebalance
 * takes, and heartbeats go on beside it. Finds the coordinator again when it moved.
 */
import { type JoinOptions, LogError } from '../../port.ts'
import type { Cluster } from '../cluster-view.ts'
import { BrokerError, errorCode, kafkaError } from '../error-table.ts'
import type { Api } from '../wire/api.ts'
import {
  heartbeatApi,
  type JoinGroupReply,
  type JoinGroupRequest,
  joinGroupApi,
  leaveGroupApi,
  type MemberIdentity,
  type SyncGroupRequest,
  syncGroupApi,
} from '../wire/group-membership.ts'

export interface CoordinatorRequests {
  /**
   * Replies with their codes; rejects with `retriable` when there is no coordinator, no reply, or one that is
   * loading.
   */
  join(request: JoinGroupRequest): Promise<JoinGroupReply>
  sync(request: SyncGroupRequest, timeoutMs: number): Promise<{ error: number; assignment: Buffer }>
  heartbeat(member: MemberIdentity, timeoutMs: number): Promise<{ error: number }>
  leave(member: MemberIdentity): Promise<{ error: number }>
  close(): void
}

/** Over the time that the broker may hold a request back. */
const graceMs = 5000

export function createCoordinatorRequests(
  cluster: Cluster,
  groupId: string,
  instanceId: string,
): CoordinatorRequests {
  const rebalancing = cluster.lane(`joins of ${instanceId}`)
  const living = cluster.lane(`heartbeats of ${instanceId}`)
  const key = { kind: 'group', id: groupId } as const

  async function ask<Request, Reply extends { readonly error: number }>(
    lane: typeof living,
    api: Api<Request, Reply>,
    request: Request,
    timeoutMs?: number,
  ): Promise<Reply> {
    try {
      const broker = lane.broker(await cluster.coordinator(key))
      const reply = await broker.send(api, request, timeoutMs === undefined ? {} : { timeoutMs })
      if (kafkaError(reply.error).kind === 'retriable' && reply.error !== 0) {
        throw new BrokerError(reply.error, `${api.name} of ${instanceId} in group ${groupId}`)
      }
      return reply
    } catch (error) {
      if (error instanceof LogError && error.kind === 'retriable') cluster.forgetCoordinator(key)
      throw error
    }
  }

  return {
    join: (request) =>
      ask(
        rebalancing,
        joinGroupApi,
        request,
        request.rebalanceTimeoutMs + request.sessionTimeoutMs + graceMs,
      ),
    sync: (request, timeoutMs) => ask(rebalancing, syncGroupApi, request, timeoutMs + graceMs),
    heartbeat: (member, timeoutMs) => ask(living, heartbeatApi, member, timeoutMs),
    leave: (member) => ask(living, leaveGroupApi, member),
    close() {
      rebalancing.close()
      living.close()
    },
  }
}

/** The coordinator knows this member no more: others may own its partitions. */
export const isExpelled = (code: number): boolean =>
  code === errorCode.unknownMemberId || code === errorCode.fencedInstanceId

export const pausesMs = { first: 20, longest: 1000 } as const

/** Pauses of the loops that ask a coordinator which does not answer. */
export const nextPause = (pauseMs: number): number => Math.min(pauseMs * 2, pausesMs.longest)

const inconsistentGroupProtocol = 23
const invalidSessionTimeout = 26

/** What was asked, with a word on those refusals that a person can do something about. */
export function explainJoin(
  code: number,
  { groupId, instanceId, sessionTimeoutMs }: Pick<JoinOptions, 'groupId' | 'instanceId' | 'sessionTimeoutMs'>,
): string {
  const what = `JoinGroup (READ) of group ${groupId} as ${instanceId}`
  if (code === inconsistentGroupProtocol) return `${what}: members of another program are in this group`
  if (code !== invalidSessionTimeout) return what
  const settings = 'group.min.session.timeout.ms, group.max.session.timeout.ms'
  return `${what}: the brokers allow no session time-out of ${sessionTimeoutMs} ms (${settings})`
}
