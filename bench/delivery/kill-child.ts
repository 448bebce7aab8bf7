/**
 * The product in a process of its own, for `kill.ts` to kill: appends deliveries at a pace, from the number that it is
 * told, and prints up to which one all are durable, the first time when it is open. Stops when its input ends.
 */
import { systemClock } from '../../engine/index.ts'
import { benchArguments } from '../support/bench-log.ts'
import { benchSealer, makeDeliveries } from '../support/deliveries.ts'
import { openStand } from '../support/delivery-stand.ts'
import { wait } from '../support/machine.ts'

const [directory = '', from = '0', total = '0', perSecond = '200', ...urls] = benchArguments
/** Ten times a second: a number is printed only when it and all before it are durable. */
const appendEveryMs = 100

const stand = await openStand({ directory, urls, maxConcurrent: 16, all: true })
const maker = makeDeliveries(benchSealer(), 1024)
process.stdout.write(`${from}\n`)
const startMs = systemClock.now()
for (let next = Number(from); next < Number(total); ) {
  const elapsedMs = systemClock.now() - startMs
  const until = Math.min(
    Number(total),
    Number(from) + Math.floor(((elapsedMs + appendEveryMs) * Number(perSecond)) / 1000),
  )
  if (until > next) {
    const numbers = Array.from({ length: until - next }, (_, at) => next + at)
    await stand.append(numbers.map((number) => maker.make(number, number % urls.length)))
    next = until
    process.stdout.write(`${next}\n`)
  }
  await wait(appendEveryMs / 4)
}
// Until it is killed, or its input ends: open calls and retries go on.
await new Promise<void>((resolve) => process.stdin.once('end', resolve).resume())
await stand.stop()
process.exit(0)
