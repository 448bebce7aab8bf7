/** A start that can be called off while it waits for something. */
import type { Application, Clock } from '../../engine/index.ts'
import { wait } from '../cli/wait.ts'

/** So long a start that is called off may take to leave its group. */
const callOffMs = 2000

/**
 * Rejects with the signal's reason when that comes before the application runs. It is stopped cleanly then, unless the
 * log is away: joining a group waits for it without end, so after two seconds it is dropped as by a crash.
 */
export async function startUnless(
  signal: AbortSignal | undefined,
  application: Pick<Application, 'start' | 'stop' | 'kill'>,
  clock: Clock,
): Promise<void> {
  const starting = application.start()
  if (!signal) return starting
  const over = new AbortController()
  const calledOff = wait(clock, Number.POSITIVE_INFINITY, AbortSignal.any([signal, over.signal]))
  await Promise.race([starting, calledOff]).finally(() => over.abort())
  if (!signal.aborted) return
  // What it still says when it is dropped, or when the log is closed under it, nobody waits for.
  starting.catch(() => undefined)
  const stopped = new AbortController()
  const stopping = application.stop().finally(() => stopped.abort())
  await Promise.race([stopping, wait(clock, clock.now() + callOffMs, stopped.signal)])
  stopping.catch(() => undefined)
  application.kill()
  throw signal.reason
}
