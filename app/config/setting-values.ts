/** Turns settings as they were written into values, each with what is wrong and how it should look. */
import { isIP } from 'node:net'
import type { Problem } from '../cli/cli-error.ts'
import { parseDuration } from './duration.ts'
import { settingDefaults } from './setting-defaults.ts'
import type { Given, GivenSetting } from './settings-file.ts'

export type Format = 'text' | 'json'

/** Past this the simulated order system would need more than a core of its own. */
const maxRatePerSecond = 2000
const callsAtOnceMax = 1024
const dayMs = 86_400_000
const keepMs = { min: dayMs, max: 400 * dayMs } as const

/** What is wrong with a setting: its name, its text and its place. */
export function wrong(given: GivenSetting, isNot: string, mend: string): Problem {
  const what = `${given.name} "${given.text}" ${isNot}`
  return given.place ? { what, place: given.place, mend } : { what, mend }
}

export function readRate(given: Given, problems: Problem[]): number {
  if (given === undefined) return settingDefaults.demo.rate
  const rate = Number(given.text)
  if (given.text.trim() !== '' && rate > 0 && rate <= maxRatePerSecond) return rate
  const mend = `write orders per second, above 0 and up to ${maxRatePerSecond}, e.g. 2 or 0.5`
  problems.push(wrong(given, 'is not a rate', mend))
  return settingDefaults.demo.rate
}

export const readSeed = (given: Given, problems: Problem[]): number =>
  readWhole(given, { min: 0, max: 2 ** 32 - 1, fallback: settingDefaults.demo.seed }, (wrongly) =>
    problems.push(wrong(wrongly, 'is not a seed', `write a whole number from 0 to ${2 ** 32 - 1}`)),
  )

export function readPort(given: Given, problems: Problem[]): number {
  const fallback = settingDefaults.api.port
  const mend = `write a number from 1 to 65535, or 0 for any that is free (default ${fallback})`
  return readWhole(given, { min: 0, max: 65_535, fallback }, (wrongly) =>
    problems.push(wrong(wrongly, 'is not a port', mend)),
  )
}

export const readCallsAtOnce = (given: Given, problems: Problem[]): number =>
  readWhole(given, { min: 1, max: callsAtOnceMax, fallback: settingDefaults.calls_at_once }, (wrongly) =>
    problems.push(
      wrong(wrongly, 'is no number of calls', `write a whole number from 1 to ${callsAtOnceMax}`),
    ),
  )

/** A whole number between two others. */
export const readWholeNumber = (
  given: Given,
  limits: { readonly min: number; readonly max: number; readonly fallback: number },
  problems: Problem[],
): number =>
  readWhole(given, limits, (wrongly) =>
    problems.push(wrong(wrongly, 'will not do', `write a whole number from ${limits.min} to ${limits.max}`)),
  )

function readWhole(
  given: Given,
  { min, max, fallback }: { min: number; max: number; fallback: number },
  complain: (given: GivenSetting) => void,
): number {
  if (given === undefined) return fallback
  const value = Number(given.text)
  if (/^\d+$/.test(given.text) && value >= min && value <= max) return value
  complain(given)
  return fallback
}

/** An address of this machine or a name for one; never with a port. */
export function readHost(given: Given, problems: Problem[]): string {
  if (given === undefined) return settingDefaults.api.host
  if (isIP(given.text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(given.text))
    return given.text
  problems.push(wrong(given, 'is not an address to listen on', 'write e.g. 127.0.0.1, 0.0.0.0 or ::'))
  return settingDefaults.api.host
}

export function readSwitch(given: Given, fallback: boolean, problems: Problem[]): boolean {
  if (given === undefined) return fallback
  if (given.text === 'true' || given.text === 'false') return given.text === 'true'
  problems.push(wrong(given, 'is neither true nor false', 'write true or false'))
  return fallback
}

export function readAuth(given: Given, problems: Problem[]): 'tokens' | 'none' {
  if (given === undefined || given.text === 'tokens') return 'tokens'
  if (given.text === 'none') return 'none'
  problems.push(wrong(given, 'is no way to tell who asks', 'write tokens or none'))
  return 'tokens'
}

/** How long the delivery log keeps events. */
export function readKeep(given: Given, problems: Problem[]): number {
  const fallback = parseDuration(settingDefaults.delivery_log.keep) ?? keepMs.min
  if (given === undefined) return fallback
  const ms = parseDuration(given.text)
  if (ms !== undefined && ms >= keepMs.min && ms <= keepMs.max) return ms
  problems.push(wrong(given, 'is not a time to keep events', 'write e.g. 30d; 1d to 400d'))
  return fallback
}

export function readRunDuration(text: string | undefined, problems: Problem[]): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0) return Math.round(ms)
  problems.push(wrong({ text, name: '--duration' }, 'is not a duration', 'write seconds, or e.g. 30s, 5m'))
  return undefined
}

/** What is printed to stdout: JSON where the alias asks for it, else as given, else text. */
export function readFormat(alias: Format | undefined, given: Given, problems: Problem[]): Format {
  if (alias !== undefined) return alias
  if (given === undefined || given.text === 'text') return 'text'
  if (given.text === 'json') return 'json'
  problems.push(wrong(given, 'is not a format', 'write text or json'))
  return 'text'
}
