/**
 * Runs WATCH without the engine, for tests: stores as maps of encoded values (so what the schemas refuse fails here),
 * reports in a list, pipeline time moved by hand, restarts over the same stores, and builders of history records that
 * default everything but what a test is about.
 */

import type { Intent, KeyValueStore, ProcessorHandlers, Serde } from '../../../engine/index.ts'
import type { NoticeCallRequest, NoticeResult } from '../../../ports/notices.ts'
import {
  type Attempt,
  attemptDefaults,
  type DeliveryHistory,
  type Endpoint,
  type EndpointHealth,
  type EndpointWatch,
  endpointDefaults,
  historyDefaults,
  makeCodecs,
  openFolderRegistry,
  type PartnerConfig,
} from '../../../schemas/index.ts'
import { type WatchOptions, type WatchShape, watch } from '../watch.ts'

const codecs = makeCodecs(openFolderRegistry())
const healthCodec = codecs.of('endpoint.health-value')

/** When the tests begin: not at the start of a bucket of any window. */
export const startMs = Date.parse('2026-11-22T08:00:30.000Z')

export const secondMs = 1000
export const minuteMs = 60 * secondMs
export const hourMs = 60 * minuteMs

type ChangedHistory = Partial<DeliveryHistory>

/** A record of delivery d1 at endpoint e1 of partner p1: accepted at the start. */
export const history = (changes: ChangedHistory = {}): DeliveryHistory => ({
  ...historyDefaults,
  delivery_id: 'd1',
  event_id: `event-of-${changes.delivery_id ?? 'd1'}`,
  endpoint_id: 'e1',
  partner_id: 'p1',
  order_id: '1101',
  event: 'out_for_delivery',
  payload_version: 'v2',
  occurred_at: startMs,
  routed_at: startMs,
  order_sequence: 1,
  version: 1,
  at: startMs,
  change: 'ACCEPTED',
  state: 'waiting',
  retry_count: 0,
  ...changes,
})

/** A first request that ended so. */
export const attempt = (outcome: string, changes: Partial<Attempt> = {}): Attempt => ({
  attempt_id: '0193b0aa-0000-7000-8000-000000000001',
  retry_count: 0,
  trigger: 'FIRST',
  started_at: startMs,
  outcome: { class: outcome, status_code: null, detail: null, duration_ms: 40 },
  ...attemptDefaults,
  ...changes,
})

/** An ended request of d1: delivered if acknowledged, else waiting for its retry. */
export const attempted = (outcome: string, changes: ChangedHistory = {}): DeliveryHistory =>
  history({
    version: 2,
    change: 'ATTEMPTED',
    state: outcome === 'acknowledged' ? 'delivered' : 'waiting',
    attempt: attempt(outcome),
    ...changes,
  })

export type EndpointState = Endpoint['state']

export function watchHarness(options: Partial<WatchOptions> = {}) {
  const definition = watch({ codecs, ...options })
  const stores = {
    endpoints: encodedStore(definition.stores.endpoints.value),
    windows: encodedStore(definition.stores.windows.value),
    open: encodedStore(definition.stores.open.value),
    notices: encodedStore(definition.stores.notices.value),
  }
  const settings = new Map<string, readonly [string, EndpointState][]>()
  const counts = new Map<string, number>()
  const reports: EndpointHealth[] = []
  const calls = new Map<string, Intent<NoticeCallRequest>>()
  const strict = new Set<string>()
  const channels = new Map<string, PartnerConfig['notice_channels']>()
  let now = startMs
  let caughtUp = true
  let offset = 0

  const context: Parameters<typeof definition.create>[0] = {
    taskId: 'watch_0',
    partition: 0,
    now: () => now,
    streamTime: () => now,
    caughtUp: () => caughtUp,
    stores,
    globals: {
      partners: {
        get: (id) => partnerConfig(id, settings.get(id), channels.get(id), strict),
        entries: () => [],
      },
    },
    emit: {
      health(key, value) {
        if (key !== value.endpoint_id) throw new Error('a report is keyed by its endpoint')
        reports.push(healthCodec.deserialize(healthCodec.serialize(value)))
      },
    },
    effects: {
      notify: {
        start(intent) {
          if (calls.has(intent.id)) throw new Error(`${intent.id} is called already`)
          calls.set(intent.id, intent)
        },
        withdraw: () => 'unknown',
      },
    },
    wakeAt() {
      throw new Error('WATCH must not keep a replay waiting')
    },
    count(name, labels) {
      for (const key of labels ? [name, countKey(name, labels)] : [name]) {
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    },
    reject(reason, detail) {
      throw new Error(`${reason}: ${detail}`)
    },
  }
  const start = (): ProcessorHandlers<WatchShape> => {
    const made = definition.create(context)
    for (const [key, value] of stores.endpoints.entries()) made.load?.endpoints?.(key, value)
    for (const [key, value] of stores.open.entries()) made.load?.open?.(key, value)
    for (const [key, value] of stores.notices.entries()) made.load?.notices?.(key, value)
    made.opened?.()
    return made
  }
  let handlers = start()

  const advanceTo = (time: number): void => {
    while (now + 1000 <= time) {
      now += 1000
      handlers.punctuate?.tick?.(now)
    }
    now = time
  }

  const handOver = (key: string, value: DeliveryHistory, at: number): void =>
    handlers.inputs.history({
      key,
      value,
      timestamp: value.at,
      headers: [],
      topic: 'test',
      partition: 0,
      offset: at,
    })

  return {
    reports,
    now: () => now,
    /** Hands records over, each when it was written, and at the next offset unless one is given. */
    take(...records: (DeliveryHistory | { record: DeliveryHistory; offset: number })[]) {
      for (const given of records) {
        const { record, offset: at } = 'record' in given ? given : { record: given, offset: offset++ }
        if (record.at > now) advanceTo(record.at)
        handOver(record.endpoint_id, record, at)
      }
    },
    takeUnderKey: (key: string, record: DeliveryHistory) => handOver(key, record, offset++),
    advance: (ms: number) => advanceTo(now + ms),
    /** The clock is set, without anything happening. */
    setClock(time: number) {
      now = time
    },
    /** One tick, now. */
    tick: () => handlers.punctuate?.tick?.(now),
    setCaughtUp(value: boolean) {
      caughtUp = value
    },
    configure(partnerId: string, endpoints: readonly [string, EndpointState][]) {
      settings.set(partnerId, endpoints)
    },
    /** These endpoints want the events of an order one after the other; they have to be configured too. */
    setStrict(...endpointIds: readonly string[]) {
      for (const id of endpointIds) strict.add(id)
    },
    setChannels(partnerId: string, found: PartnerConfig['notice_channels']) {
      channels.set(partnerId, found)
    },
    /** The notices whose call is open, by what they say and how they leave. */
    openNotices: () =>
      [...calls.values()].map(({ request }) => {
        const notice = stores.notices.get(request.key)
        if (!notice) throw new Error('a call for a notice that is not stored')
        return notice
      }),
    /** All open calls of notices end so. */
    endNotices(result: NoticeResult) {
      const open = [...calls.values()]
      calls.clear()
      for (const intent of open)
        handlers.results?.notify?.(intent, { kind: 'done', result, again: false, starts: 1 })
    },
    storedNotices: () => stores.notices.entries().length,
    /** New handlers over the same stores, as after a crash. */
    restart() {
      handlers = start()
    },
    latest: (endpointId = 'e1') => reports.findLast((report) => report.endpoint_id === endpointId),
    endpoint: (id = 'e1'): EndpointWatch | undefined => stores.endpoints.get(id),
    openCount: (endpointId = 'e1') =>
      stores.open.entries().filter(([, delivery]) => delivery.endpoint_id === endpointId).length,
    windows: (id = 'e1') => stores.windows.get(id),
    count: (name: string, labels?: Record<string, string>) =>
      counts.get(labels ? countKey(name, labels) : name) ?? 0,
  }
}

const countKey = (name: string, labels: Record<string, string>): string => `${name} ${JSON.stringify(labels)}`

function partnerConfig(
  partnerId: string,
  endpoints: readonly [string, EndpointState][] | undefined,
  channels: PartnerConfig['notice_channels'] = [],
  strict: ReadonlySet<string> = new Set(),
) {
  return (
    endpoints && {
      partner_id: partnerId,
      name: partnerId,
      version: 1,
      endpoints: endpoints.map(([endpoint_id, state]) => ({
        ...endpointDefaults,
        endpoint_id,
        url: 'https://partner.example/hook',
        state,
        payload_version: 'v2',
        secrets: [],
        strict_order: strict.has(endpoint_id),
      })),
      notice_channels: channels,
    }
  )
}

/** Keeps bytes, so that a value which was changed in place, or that the schema does not take, shows at once. */
function encodedStore<T>(serde: Serde<T>): KeyValueStore<T> & { entries(): [string, T][] } {
  const bytes = new Map<string, Uint8Array | null>()
  return {
    get: (key) => {
      const found = bytes.get(key)
      return found === undefined ? undefined : serde.deserialize(found)
    },
    put: (key, value) => void bytes.set(key, serde.serialize(value)),
    delete: (key) => void bytes.delete(key),
    entries: () => Array.from(bytes, ([key, value]) => [key, serde.deserialize(value)]),
  }
}
