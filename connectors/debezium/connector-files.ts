/** Connector files: one JSON object of settings each, named like the connector. Those that ship, and anybody's own. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ConnectorConfig } from './connector-config.ts'

export const capturedDatabases = ['mariadb', 'mysql', 'postgresql'] as const
export type CapturedDatabase = (typeof capturedDatabases)[number]

export interface ConnectorFile {
  /** The connector's name: the file's, without `.json`. */
  readonly name: string
  readonly path: string
  readonly config: ConnectorConfig
}

/** The files that ship for a database. Riders first: their snapshot is there when the first order goes out. */
export const shippedConnectorPaths = (database: CapturedDatabase): readonly string[] =>
  ['assignments', 'orders'].map((role) =>
    fileURLToPath(new URL(`./${database}-${role}.json`, import.meta.url)),
  )

/** Why a file is no connector. */
export interface UnreadableFile {
  readonly path: string
  readonly why: string
}

/** Reads a file. Numbers and switches are taken as the texts that Connect makes of them. */
export function readConnectorFile(path: string): ConnectorFile | UnreadableFile {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    // V8 quotes the text around a mistake, and that may be a password.
    const code = (error as NodeJS.ErrnoException).code
    return { path, why: code === undefined ? 'it is no JSON' : `it cannot be read: ${code}` }
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { path, why: 'it is no JSON object of settings' }
  }
  const nested = Object.entries(json).find(([, value]) => typeof value === 'object')
  if (nested)
    return { path, why: `"${nested[0]}" must be a single value (write the settings alone, without "config")` }
  return {
    path,
    name: basename(path).replace(/\.json$/, ''),
    config: Object.fromEntries(Object.entries(json).map(([setting, value]) => [setting, String(value)])),
  }
}

export const isUnreadable = (file: ConnectorFile | UnreadableFile): file is UnreadableFile => 'why' in file
