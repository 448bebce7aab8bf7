/** The Apicurio registry, by its Confluent-compatible API. */
import { join } from 'node:path'
import { startProcess } from '../process.ts'
import type { ServiceDefinition } from '../service.ts'
import { StackError } from '../stack-error.ts'
import { versions } from '../versions.ts'
import { answers } from '../waiting.ts'

export const registry: ServiceDefinition = {
  name: 'registry',
  needs: [],
  async prepare({ directory, packages, ports, assets }) {
    // Its class files are of version 65.
    const java = await packages.java(21)
    const app = await packages.maven({
      name: `apicurio-${versions.apicurio}`,
      pom: join(assets, 'registry/pom.xml'),
      properties: { 'apicurio.version': versions.apicurio },
    })
    const [port = 0] = await ports('registry')
    const [management = 0] = await ports('registryManagement')
    const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
    const settings = {
      'apicurio.datasource.url': `jdbc:h2:file:${join(directory, 'data/registry')};DB_CLOSE_ON_EXIT=FALSE`,
      'quarkus.http.host': '127.0.0.1',
      'quarkus.http.port': port,
      'quarkus.management.host': '127.0.0.1',
      'quarkus.management.port': management,
      'quarkus.http.access-log.enabled': 'false',
    }
    return {
      nodes: [
        {
          directory,
          async start() {
            await startProcess({
              name: 'the registry',
              directory,
              command: java,
              args: [
                ...['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
                ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
                ...['-jar', join(app, 'quarkus-run.jar')],
              ],
              cwd: app,
              ready: () => answers(`${url}/subjects`),
            })
          },
        },
      ],
      facts: { url },
      seed: () => enforceCompatibility(url),
    }
  },
}

/** It starts with the level NONE and enforces nothing; Confluent's default is BACKWARD. */
export async function enforceCompatibility(url: string): Promise<void> {
  const response = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ compatibility: 'BACKWARD' }),
  })
  if (response.ok) return
  throw new StackError(`the registry refused a level: ${response.status}`, await response.text())
}
