/** Which payload version each endpoint pins, read from partners.yaml without needing its secrets. */
import type { PinnedEndpoint } from '../../schemas/index.ts'
import { readYamlFile } from '../config/yaml-file.ts'

/** What an endpoint gets that names none: the newest. */
const defaultVersion = 'v2'

/** All endpoints of the file; parts of another form are left to `waybill run`, which explains them. */
export function readPins(path: string): readonly PinnedEndpoint[] {
  const { value } = readYamlFile(path)
  return listOf(value, 'partners').flatMap((partner) =>
    listOf(partner, 'endpoints').map((endpoint) => ({
      partner: textOf(partner, 'id') ?? '?',
      endpoint: textOf(endpoint, 'id') ?? '?',
      version: textOf(endpoint, 'version') ?? defaultVersion,
    })),
  )
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

function listOf(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name)
  return Array.isArray(found) ? (found as unknown[]) : []
}

function textOf(value: unknown, name: string): string | undefined {
  const found = member(value, name)
  return typeof found === 'string' ? found : undefined
}
