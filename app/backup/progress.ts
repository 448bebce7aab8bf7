/** How far a backup or a restore is: one line that changes on a terminal, elsewhere a line now and then. */
import type { Clock } from '../../engine/index.ts'
import type { Output } from '../cli/surroundings.ts'

const everyMs = { terminal: 200, lines: 2000 } as const

/** `total`: bytes altogether, where that is known. */
export function byteProgress(output: Output, clock: Clock, what: string, total?: number) {
  const startedAt = clock.now()
  let shownAt = startedAt
  let standing = false
  return {
    show(bytes: number): void {
      const now = clock.now()
      if (now - shownAt < (output.isTTY ? everyMs.terminal : everyMs.lines)) return
      shownAt = now
      const speed = sizeText((bytes * 1000) / Math.max(1, now - startedAt))
      const percent = total === undefined || total === 0 ? '' : `${Math.floor((bytes * 100) / total)}%  `
      const text = `${percent}${what}  ${sizeText(bytes)}, ${speed}/s`
      standing = output.isTTY
      output.write(output.isTTY ? `\r${text}\x1b[K` : `${text}\n`)
    },
    clear(): void {
      if (standing) output.write('\r\x1b[K')
      standing = false
    },
  }
}

/** `12.3 MB`, `4.5 kB`: thousands and millions of bytes, as disks are sold. */
export const sizeText = (bytes: number): string =>
  bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
