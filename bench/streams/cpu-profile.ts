/** A profile of the drain alone: what fills the topics and what verifies them is not in it. */
import { writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'

/** Starts profiling; the returned function ends it and writes the file, which Chrome's tools open. */
export async function profileInto(file: string | undefined): Promise<() => Promise<void>> {
  if (file === undefined) return async () => {}
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    await writeFile(file, JSON.stringify(profile))
  }
}
