/** The reference dispatch server over the riders of the stack's MariaDB; what ENRICH asks over gRPC. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../assets.ts'
import { startProcess } from '../process.ts'
import type { ServiceDefinition } from '../service.ts'
import { StackError } from '../stack-error.ts'
import { accepts } from '../waiting.ts'

export const dispatch: ServiceDefinition = {
  name: 'dispatch',
  needs: ['mariadb'],
  async prepare({ directory, ports }) {
    if (!existsSync(join(root, 'dist/app/main.js')))
      throw new StackError('the program is not built', 'run npm run build')
    const [port = 0] = await ports('dispatch')
    const [mariadbPort = 0] = await ports('mariadb')
    const address = `127.0.0.1:${port}`
    const database = `mysql://oms:oms@127.0.0.1:${mariadbPort}`
    return {
      nodes: [
        {
          directory,
          async start() {
            mkdirSync(directory, { recursive: true })
            await startProcess({
              name: 'dispatch',
              directory,
              command: process.execPath,
              args: [
                join(root, 'bin/waybill.js'),
                ...['demo-dispatch', '--database', database, '--listen', address],
              ],
              ready: () => accepts(port),
            })
          },
        },
      ],
      facts: { address },
    }
  },
}
