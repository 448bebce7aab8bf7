/** MariaDB from Debian's -core packages, with the order and the dispatch database of the demonstration. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capturerRights } from '../capturer-rights.ts'
import { orderDatabaseFacts, socketOf } from '../order-database.ts'
import { programPath } from '../packages.ts'
import { startProcess } from '../process.ts'
import { runCommand } from '../run-command.ts'
import type { ServiceDefinition, StartContext } from '../service.ts'
import { accepts } from '../waiting.ts'

export const mariadb: ServiceDefinition = {
  name: 'mariadb',
  needs: [],
  async prepare(context) {
    await context.packages.debian(
      ['mariadbd', 'mariadb', 'mariadb-install-db'],
      ['mariadb-server-core', 'mariadb-client-core'],
    )
    const [port = 0] = await context.ports('mariadb')
    const { directory, assets } = context
    return {
      nodes: [{ directory, start: () => startServer(context, port) }],
      facts: orderDatabaseFacts('mariadb', port),
      async seed() {
        const input = readFileSync(join(assets, 'mariadb/oms.sql'), 'utf8') + capturerRights('mariadb')
        await runCommand('mariadb', ['--no-defaults', '-uroot', '-S', socketOf('mariadb', port)], { input })
      },
    }
  },
}

async function startServer({ directory, assets }: StartContext, port: number): Promise<void> {
  const data = join(directory, 'data')
  const temporary = join(directory, 'tmp')
  mkdirSync(temporary, { recursive: true })
  // It refuses root unless root is asked for by name.
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  if (!existsSync(join(data, 'mysql'))) {
    const plain = ['--auth-root-authentication-method=normal', '--skip-test-db']
    const installed = await runCommand('mariadb-install-db', [
      '--no-defaults',
      `--datadir=${data}`,
      ...user,
      ...plain,
    ])
    writeFileSync(join(directory, 'install.log'), installed)
  }
  await startProcess({
    name: 'MariaDB',
    directory,
    command: programPath('mariadbd') ?? 'mariadbd',
    args: [
      `--defaults-file=${join(assets, 'mariadb/my.cnf')}`,
      ...user,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--socket=${socketOf('mariadb', port)}`,
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      `--pid-file=${join(directory, 'mariadbd.pid')}`,
    ],
    ready: () => accepts(port),
  })
}
