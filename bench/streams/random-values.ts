/** The generator's own chance and words: the same seed gives the same bytes on every machine. */
import { seededRandom } from '../../engine/index.ts'

export interface Values {
  /** Uniform in [0, n). */
  int(n: number): number
  pick<T>(from: readonly T[]): T
  /** Hexadecimal digits. */
  hex(digits: number): string
  /** Text of exactly this length. */
  words(length: number): string
}

const vocabulary =
  'ring the bell leave with neighbour at back door fragile glass keep upright call before delivery second floor no lift side entrance pay by card cash on arrival thank you early morning late evening only weekdays'.split(
    ' ',
  )

/** Mulberry32, as the engine's own generator. */
export function makeValues(seed: number): Values {
  const random = seededRandom(seed)
  const values: Values = {
    int: (n) => Math.floor(random.next() * n),
    pick(from) {
      const picked = from[values.int(from.length)]
      if (picked === undefined) throw new Error('nothing to pick from')
      return picked
    },
    hex(digits) {
      let text = ''
      while (text.length < digits) {
        text += Math.floor(random.next() * 2 ** 32)
          .toString(16)
          .padStart(8, '0')
      }
      return text.slice(0, digits)
    },
    words(length) {
      let text = values.pick(vocabulary)
      while (text.length < length) text += ` ${values.pick(vocabulary)}`
      return text.slice(0, length)
    },
  }
  return values
}
