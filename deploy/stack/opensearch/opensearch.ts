/** One OpenSearch node from Maven Central, without security and without the plugins of the distribution. */
import { join } from 'node:path'
import { startProcess } from '../process.ts'
import type { ServiceDefinition } from '../service.ts'
import { versions } from '../versions.ts'
import { answers } from '../waiting.ts'

export const opensearch: ServiceDefinition = {
  name: 'opensearch',
  needs: [],
  async prepare({ directory, packages, ports, assets }) {
    const java = await packages.java(21)
    const jars = await packages.maven({
      name: `opensearch-${versions.opensearch}`,
      pom: join(assets, 'opensearch/pom.xml'),
      properties: { 'opensearch.version': versions.opensearch },
    })
    const [port = 0] = await ports('opensearch')
    const [transport = 0] = await ports('opensearchTransport')
    const url = `http://127.0.0.1:${port}`
    return {
      nodes: [
        {
          directory,
          async start() {
            await startProcess({
              name: 'OpenSearch',
              directory,
              command: java,
              args: [
                ...['-Xms1g', '-Xmx1g', '--enable-native-access=ALL-UNNAMED'],
                ...['--add-modules', 'jdk.incubator.vector', '-cp', join(jars, '*')],
                // Java compiles a single source file by itself.
                ...[join(assets, 'opensearch/Node.java'), join(directory, 'data')],
                ...[String(port), String(transport)],
              ],
              ready: () => answers(`${url}/_cluster/health`),
            })
          },
        },
      ],
      facts: { url },
    }
  },
}
