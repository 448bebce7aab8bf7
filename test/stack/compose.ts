/** What is wrong with a compose file, as far as it can be told without an engine: each finding as a line of text. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes?: Readonly<Record<string, unknown>>
}

export interface ComposeService {
  readonly image?: string
  readonly build?: unknown
  readonly command?: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly restart?: string
}

/** The keys that are used here, out of the Compose specification: a misspelt one is none of them. */
const topKeys = ['name', 'services', 'volumes']
const serviceKeys = [
  'image',
  'build',
  'command',
  'entrypoint',
  'environment',
  'ports',
  'volumes',
  'depends_on',
  'healthcheck',
  'restart',
  'stop_grace_period',
]
const healthKeys = ['test', 'interval', 'timeout', 'retries', 'start_period']
const conditions = ['service_started', 'service_healthy', 'service_completed_successfully']

/** Reads it as Compose does; what YAML itself finds wrong is thrown. */
export function readCompose(text: string): ComposeFile {
  const document = parseDocument(text, { merge: true, uniqueKeys: true })
  if (document.errors.length > 0) throw new Error(document.errors.map(String).join('\n'))
  return document.toJS() as ComposeFile
}

export function composeFindings(file: ComposeFile, root: string): string[] {
  const services = Object.entries(file.services)
  return [
    ...strangers(file, topKeys, 'the file'),
    ...services.flatMap(([name, service]) => [
      ...strangers(service, serviceKeys, name),
      ...strangers(service.healthcheck ?? {}, healthKeys, `the health check of ${name}`),
      ...imageFindings(name, service),
      ...healthFindings(name, service),
      ...dependencyFindings(name, service, file),
      ...volumeFindings(name, service, file, root),
      ...portFindings(name, service),
    ]),
    ...doublePorts(file),
  ]
}

const strangers = (value: object, known: readonly string[], where: string): string[] =>
  Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${where} has the unknown key "${key}"`)

/** A version with three numbers never means another image tomorrow. What is built here has no version. */
function imageFindings(name: string, { image, build }: ComposeService): string[] {
  if (image === undefined) return [`${name} has no image`]
  if (build !== undefined) return []
  return /:v?\d+\.\d+[\w.]*$/.test(image) ? [] : [`${name} does not pin its image: ${image}`]
}

/** What ends by itself has none: those who wait for it wait for its end. */
function healthFindings(name: string, { healthcheck, restart }: ComposeService): string[] {
  const ends = restart === 'no' || restart === 'on-failure'
  if (!healthcheck) return ends ? [] : [`${name} has no health check`]
  const [kind] = healthcheck.test
  return kind === 'CMD' || kind === 'CMD-SHELL' ? [] : [`the health check of ${name} is no command`]
}

function dependencyFindings(name: string, { depends_on = {} }: ComposeService, file: ComposeFile): string[] {
  return Object.entries(depends_on).flatMap(([needed, { condition }]) => {
    const service = file.services[needed]
    if (!service) return [`${name} depends on ${needed}, which is not there`]
    if (!conditions.includes(condition)) return [`${name} waits for ${needed} by "${condition}"`]
    if (condition === 'service_healthy' && !service.healthcheck)
      return [`${name} waits for the health of ${needed}, which has no health check`]
    return []
  })
}

function volumeFindings(name: string, { volumes = [] }: ComposeService, file: ComposeFile, root: string) {
  return volumes.flatMap((volume) => {
    const [source = '', target = ''] = volume.split(':')
    if (!target.startsWith('/')) return [`${name} mounts ${source} nowhere`]
    if (source.startsWith('./'))
      return existsSync(join(root, source)) ? [] : [`${name} mounts ${source}, which is not there`]
    return source in (file.volumes ?? {})
      ? []
      : [`${name} mounts the volume ${source}, which is not declared`]
  })
}

/** `127.0.0.1:${NAME:-19092}:9092`: on this machine alone, and movable. */
const portPattern = /^127\.0\.0\.1:\$\{([A-Z]+_PORT):-(\d+)\}:(\d+)$/

const portFindings = (name: string, { ports = [] }: ComposeService): string[] =>
  ports
    .filter((port) => !portPattern.test(port))
    .map((port) => `${name} publishes ${port}: write 127.0.0.1:\${NAME_PORT:-number}:number`)

/** The published ports by the variable that moves them. */
export function publishedPorts(file: ComposeFile): Map<string, number> {
  const ports = Object.values(file.services).flatMap(({ ports = [] }) => ports)
  return new Map(
    ports.flatMap((port) => {
      const [, variable = '', number] = portPattern.exec(port) ?? []
      return number === undefined ? [] : [[variable, Number(number)]]
    }),
  )
}

function doublePorts(file: ComposeFile): string[] {
  const seen = new Set<number>()
  return [...publishedPorts(file).values()]
    .filter((port) => seen.has(port) || !seen.add(port))
    .map((port) => `the port ${port} is published twice`)
}
