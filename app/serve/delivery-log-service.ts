/**
 * Runs LOG beside the pipeline: opens the store of the delivery log, writes what it lacks, then follows the topics.
 * None of it holds the pipeline up: until the store is there, and whenever it is gone, the topics keep everything.
 *
 * ```
 *   opening ──► catching up ──► following
 *    ▲   │ unavailable           (whatever fails there, the bulk sink repeats)
 *    └───┘
 * ```
 */

import { RegistryError } from '../../connectors/registry/registry-error.ts'
import {
  type Application,
  type Clock,
  createApplication,
  type DeadLetter,
  memoryDisks,
  type RecordLog,
  type Report,
} from '../../engine/index.ts'
import { type DeliveryLog, DeliveryLogError } from '../../ports/delivery-log.ts'
import { catchUpLog } from '../../ports/delivery-log-rebuild.ts'
import { logWrites } from '../../ports/delivery-log-sink.ts'
import { SchemaError } from '../../schemas/index.ts'
import { type LogSources, logName, logTopology } from '../../topology/log.ts'
import { wait } from '../cli/wait.ts'
import { expireEvents } from './expire-events.ts'
import { logTopicsOf } from './open-store.ts'
import { storeToCome } from './store-to-come.ts'

export interface DeliveryLogServiceOptions {
  readonly log: RecordLog
  readonly topics: LogSources
  /** Names our member of LOG's group. */
  readonly instanceId: string
  /** `writes`: LOG runs here. `reads`: others write it. `none`: this instance has nothing to do with it. */
  readonly part: 'writes' | 'reads' | 'none'
  /** Opens the store; rejects with a `DeliveryLogError`. */
  readonly open: () => Promise<DeliveryLog>
  readonly deadLetter: DeadLetter
  /** How long events are kept. */
  readonly keepMs: number
  readonly clock: Clock
  readonly report: Report
}

export interface DeliveryLogService {
  /** Answers `unavailable` until it is open. */
  readonly store: DeliveryLog
  counters(): readonly ReadonlyMap<string, number>[]
  /** Rejects when it cannot be used as it is set up, or LOG breaks; never resolves. */
  readonly failed: Promise<never>
  stop(): Promise<void>
}

const firstPauseMs = 500
const longestPauseMs = 30_000

export function startDeliveryLog(options: DeliveryLogServiceOptions): DeliveryLogService {
  const { log, topics, clock, report } = options
  const stopping = new AbortController()
  const store = storeToCome()
  let application: Application | undefined
  let expiring: Promise<void> | undefined

  async function run(): Promise<Application | undefined> {
    if (options.part === 'none') {
      store.away(new DeliveryLogError('unavailable', 'this instance has neither the role api nor log'))
      return undefined
    }
    const opened = await patiently(options.open)
    if (!opened) return undefined
    store.arrived(opened)
    if (options.part === 'reads') return undefined
    const missed = await patiently(() =>
      catchUpLog({
        log,
        topics: logTopicsOf(topics),
        store: opened,
        groupId: logName,
        signal: stopping.signal,
      }),
    )
    if (!missed || stopping.signal.aborted) return undefined
    if (missed.records > 0) report(`the delivery log lacked ${missed.records} records; they are written`)
    application = createApplication({
      topology: logTopology(topics),
      log,
      // LOG keeps no state of its own.
      disk: await memoryDisks().open('log'),
      instanceId: `${options.instanceId}-log`,
      bulkSinks: logWrites(opened),
      deadLetter: options.deadLetter,
      pipelineClock: clock,
      realClock: clock,
      report,
    })
    await application.start()
    expiring = expireEvents({ store: opened, keepMs: options.keepMs, clock, report, signal: stopping.signal })
    return application
  }

  /**
   * Again and again while the store is away, or a schema that is needed cannot be had, and says so once; `undefined`:
   * stopped meanwhile.
   */
  async function patiently<T>(action: () => Promise<T>): Promise<T | undefined> {
    for (
      let pauseMs = firstPauseMs;
      !stopping.signal.aborted;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    ) {
      try {
        return await action()
      } catch (error) {
        const isAway = error instanceof DeliveryLogError && error.reason === 'unavailable'
        if (!isAway && !isSchemaAway(error)) throw error
        const why = isAway ? 'is away' : 'waits for a schema that cannot be had now'
        if (pauseMs === firstPauseMs)
          report(`the delivery log ${why}; webhooks go on, and it is tried again`, error)
        if (isAway) store.away(error)
      }
      await wait(clock, clock.now() + pauseMs, stopping.signal)
    }
    return undefined
  }

  const running = run()
  const failed = running.then((started) =>
    started ? Promise.race([started.failed, onlyFailure(expiring)]) : new Promise<never>(() => undefined),
  )
  failed.catch(() => {
    // Told to whoever looks at `failed`; nobody has to.
  })
  return {
    store: store.log,
    counters: () => (application ? [application.counters.snapshot()] : []),
    failed,
    async stop() {
      stopping.abort()
      await running.catch(() => {
        // Told by `failed`.
      })
      await expiring
      await application?.stop()
      await store.log.close()
    },
  }
}

/** The registry cannot be asked, or a later version wrote what is to be read. */
const isSchemaAway = (error: unknown): boolean =>
  (error instanceof RegistryError && error.kind === 'unreachable') ||
  (error instanceof SchemaError && error.reason === 'unknown_schema')

/** A promise that rejects when the given one does, and otherwise stays open. */
const onlyFailure = (promise: Promise<unknown> | undefined): Promise<never> =>
  Promise.resolve(promise).then(() => new Promise<never>(() => undefined))
