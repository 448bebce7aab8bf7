/** Reads where the dispatch system is that can be asked for riders, and how it is asked. */
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { defaultDispatchDeadlineMs } from '../../connectors/dispatch/deadline.ts'
import type { DispatchTls } from '../../connectors/dispatch/dispatch-channel.ts'
import type { Problem } from '../cli/cli-error.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { readPemFile } from './pem-file.ts'
import type { GivenSecret } from './secret-settings.ts'
import { readSwitch, wrong } from './setting-values.ts'
import type { Given, GivenSetting } from './settings-file.ts'
import { dispatchDefaults } from './surroundings-defaults.ts'

/** Fits `createGrpcDispatch`. */
export interface DispatchSettings {
  /** `host:port`. */
  readonly address: string
  readonly deadlineMs: number
  /** Absent: in clear. */
  readonly tls?: DispatchTls
  readonly token?: string
}

/** The settings as they were given, by whoever found out who wins. */
export interface GivenDispatch {
  readonly address: Given
  readonly deadline: Given
  readonly tls: Given
  readonly caFile: Given
  readonly certFile: Given
  readonly keyFile: Given
  readonly serverName: Given
  readonly token: GivenSecret | undefined
  /** Paths that are not in a file are relative to this folder. */
  readonly cwd: string
}

const deadlineLimitsMs = { min: 10, max: 10_000 } as const

/** `undefined`: there is none to ask, and riders come through captured rows alone. */
export function readDispatch(given: GivenDispatch, problems: Problem[]): DispatchSettings | undefined {
  const deadlineMs = readDeadline(given.deadline, problems)
  const tls = readTls(given, problems)
  if (given.address === undefined) {
    // The explained defaults name these as well.
    const tls = given.tls?.text === String(dispatchDefaults.tls) ? undefined : given.tls
    const deadline = given.deadline?.text === dispatchDefaults.deadline ? undefined : given.deadline
    const pointless = tls ?? given.caFile ?? given.certFile ?? deadline
    if (pointless)
      problems.push(withPlace(pointless, 'has no effect without dispatch.address', 'write that too'))
    return undefined
  }
  const address = readAddress(given.address, problems)
  if (address === undefined) return undefined
  return Object.freeze({
    address,
    deadlineMs,
    ...(tls && { tls }),
    ...(given.token && { token: given.token.text }),
  })
}

function readAddress(given: GivenSetting, problems: Problem[]): string | undefined {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(given.text)
  const [, host = '', port = ''] = parts ?? []
  const sound =
    Number(port) > 0 && Number(port) < 65_536 && (host[0] !== '[' || isIP(host.slice(1, -1)) === 6)
  if (parts && sound) return given.text
  problems.push(wrong(given, 'is not the address of a gRPC server', 'write it like dispatch.internal:7443'))
  return undefined
}

function readDeadline(given: Given, problems: Problem[]): number {
  if (given === undefined) return defaultDispatchDeadlineMs
  const ms = parseDuration(given.text)
  if (ms !== undefined && ms >= deadlineLimitsMs.min && ms <= deadlineLimitsMs.max) return ms
  const mend = `write e.g. ${dispatchDefaults.deadline}; ${deadlineLimitsMs.min}ms to ${formatDuration(deadlineLimitsMs.max)}`
  problems.push(wrong(given, 'is no time to wait for an answer', mend))
  return defaultDispatchDeadlineMs
}

function readTls(given: GivenDispatch, problems: Problem[]): DispatchTls | undefined {
  const files = [given.caFile, given.certFile, given.keyFile]
  const wanted = readSwitch(given.tls, dispatchDefaults.tls, problems)
  if (!wanted) {
    const pointless = [...files, given.serverName].find((setting) => setting !== undefined)
    if (pointless) problems.push(withPlace(pointless, 'has no effect', 'set dispatch.tls to true'))
    return undefined
  }
  if ((given.certFile === undefined) !== (given.keyFile === undefined)) {
    const alone = given.certFile ?? given.keyFile
    if (alone) problems.push(withPlace(alone, 'needs its other half', 'name both cert_file and key_file'))
  }
  const [ca, cert, key] = files.map((setting) => setting && readPem(setting, given.cwd, problems))
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(given.serverName && { serverName: given.serverName.text }),
  }
}

const readPem = (given: GivenSetting, cwd: string, problems: Problem[]): string | undefined =>
  readPemFile(given.name, resolve(given.place ? dirname(given.place.file) : cwd, given.text), problems)

const withPlace = (given: GivenSetting, what: string, mend: string): Problem => ({
  what: `${given.name} ${what}`,
  mend,
  ...(given.place && { place: given.place }),
})
