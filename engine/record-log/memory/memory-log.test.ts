import { manualClock } from '../../clock.ts'
import { recordLogContract } from '../record-log.contract.ts'
import { createMemoryLog } from './memory-log.ts'

/** Long enough for whatever is ready to run to have run. */
const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

recordLogContract('memory log', async () => {
  const clock = manualClock(1_700_000_000_000)
  const log = createMemoryLog({ clock })
  return {
    log,
    async pass(ms) {
      await settle()
      clock.advance(ms)
      await settle()
    },
    compact: async (topic) => log.levers.compact(topic),
    dispose: () => log.close(),
  }
})
