/** Text in columns: numbers, widths, padding and cutting. Everything shown is one column wide per character. */

const grouping = new Intl.NumberFormat('en-US')

/** `1284` is `1,284`. */
export const formatCount = (count: number): string => grouping.format(Math.round(count))

/** Two digits that matter: `0.5/s`, `12/s`. */
export const formatRate = (perSecond: number): string =>
  `${perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond)}/s`

/** `14 ms`, `2.3 s`, `4 m 10 s`. */
export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return formatUptime(ms)
}

/** `42 s`, `4 m 10 s`, `3 h 2 m`, `5 d 1 h`. */
export function formatUptime(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
}

/** The clock time of day in UTC, `13:31:02`. */
export const formatTime = (ms: number): string => new Date(ms).toISOString().slice(11, 19)

/** At most `width` characters, the cut marked. */
export const cut = (text: string, width: number): string =>
  text.length <= width ? text : width < 1 ? '' : `${text.slice(0, width - 1)}…`

/** Exactly `width` characters, to the left. */
export const left = (text: string, width: number): string => cut(text, width).padEnd(width)

/** Exactly `width` characters, to the right. */
export const right = (text: string, width: number): string => cut(text, width).padStart(width)
