/** The account of each endpoint, as the history tells it: what was routed to it, and where each of that is now. */
import { readTopic } from '../../app/pipeline/read-topic.ts'
import type { RecordLog } from '../../engine/index.ts'
import type { DeliveryHistory } from '../../schemas/index.ts'
import type { Topics } from '../../topology/topics.ts'

export interface Account {
  /** Accepted as new. */
  readonly routed: number
  readonly delivered: number
  readonly waiting: number
  readonly dead: number
  readonly skipped: number
  /** Requests that were recorded, and those of them that were acknowledged. */
  readonly attempts: number
  readonly acknowledged: number
  /** Recorded requests that may have been made before, marked so. */
  readonly again: number
}

const nothing: Account = {
  routed: 0,
  delivered: 0,
  waiting: 0,
  dead: 0,
  skipped: 0,
  attempts: 0,
  acknowledged: 0,
  again: 0,
}

/**
 * Whether every delivery has come to its end. That all webhooks came is not enough: who comes again after a kill may
 * not have been called yet, and a call that was open in five deaths is taken for their cause, answered without being
 * made, and its delivery comes again after the first tier's delay.
 */
export async function nothingWaits(log: RecordLog, topics: Topics): Promise<boolean> {
  const { accounts } = await readAccounts(log, topics)
  return [...accounts.values()].every(({ waiting }) => waiting === 0)
}

/** By endpoint. Waiting is not the rest: it is counted like the others, from the last record of each delivery. */
export async function readAccounts(
  log: RecordLog,
  topics: Topics,
): Promise<{
  readonly accounts: ReadonlyMap<string, Account>
  readonly history: readonly DeliveryHistory[]
}> {
  const records = (await readTopic(log, topics.deliveryHistory)).map(({ value }) => value)
  const history = records.filter(({ delivery_id }) => delivery_id !== '')
  const accounts = new Map<string, Account>()
  const count = (endpointId: string, counter: keyof Account) => {
    const known = accounts.get(endpointId) ?? nothing
    accounts.set(endpointId, { ...known, [counter]: known[counter] + 1 })
  }
  const last = new Map<string, DeliveryHistory>()
  for (const record of history) {
    const { endpoint_id, change, attempt, state } = record
    if (change === 'ACCEPTED') count(endpoint_id, 'routed')
    if (attempt) count(endpoint_id, 'attempts')
    if (attempt?.again) count(endpoint_id, 'again')
    if (attempt && state === 'delivered') count(endpoint_id, 'acknowledged')
    const known = last.get(record.delivery_id)
    if (!known || record.version >= known.version) last.set(record.delivery_id, record)
  }
  for (const { endpoint_id, state } of last.values()) {
    if (state === 'delivered' || state === 'waiting' || state === 'dead' || state === 'skipped')
      count(endpoint_id, state)
  }
  return { accounts, history }
}
