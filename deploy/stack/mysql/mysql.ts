/**
 * MySQL with the databases of the demonstration. Debian's stable releases have none: where the machine has no MySQL of
 * its own, that of Debian's sid is run out of a folder, with the libraries that it was built with.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { capturerRights } from '../capturer-rights.ts'
import { orderDatabaseFacts, socketOf } from '../order-database.ts'
import { type Packages, programPath } from '../packages.ts'
import { startProcess } from '../process.ts'
import { runCommand } from '../run-command.ts'
import type { ServiceDefinition, StartContext } from '../service.ts'
import { accepts } from '../waiting.ts'

/** How a program of it is called: a command, and what comes before its own arguments. */
interface Programs {
  readonly server: readonly [string, ...string[]]
  readonly client: readonly [string, ...string[]]
}

export const mysql: ServiceDefinition = {
  name: 'mysql',
  needs: [],
  async prepare(context) {
    const programs = (await installed()) ?? (await unpacked(context.packages))
    const [port = 0] = await context.ports('mysql')
    const { directory, assets } = context
    return {
      nodes: [{ directory, start: () => startServer(context, programs, port) }],
      facts: orderDatabaseFacts('mysql', port),
      async seed() {
        const [command, ...before] = programs.client
        const tables = readFileSync(join(assets, 'mariadb/oms.sql'), 'utf8')
        const input = tables + capturerRights('mysql') + rootByNetwork
        await runCommand(command, [...before, '--no-defaults', '-uroot', '-S', socketOf('mysql', port)], {
          input,
        })
      },
    }
  },
}

/** As MariaDB's installation makes it; the server listens on loopback alone. */
const rootByNetwork = `
CREATE USER 'root'@'127.0.0.1';
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
`

/** MariaDB calls its server so, too. */
async function installed(): Promise<Programs | undefined> {
  const server = programPath('mysqld')
  const client = programPath('mysql')
  if (server === undefined || client === undefined) return undefined
  const isMariadb = /mariadb/i.test(await runCommand(server, ['--version']))
  return isMariadb ? undefined : { server: [server, '--no-defaults'], client: [client] }
}

/** Started by the loader that came with it: the machine's C library is older. */
async function unpacked(packages: Packages): Promise<Programs> {
  const root = await packages.debianAside({
    name: 'mysql-of-debian-sid',
    suite: 'sid',
    packages: ['mysql-server-core', 'mysql-client-core'],
  })
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
  const by = [join(libraries, 'ld-linux-x86-64.so.2'), '--library-path', libraries] as const
  return {
    server: [...by, join(root, 'usr/sbin/mysqld'), '--no-defaults', `--basedir=${join(root, 'usr')}`],
    client: [...by, join(root, 'usr/bin/mysql')],
  }
}

async function startServer({ directory }: StartContext, { server }: Programs, port: number): Promise<void> {
  const data = join(directory, 'data')
  const temporary = join(directory, 'tmp')
  mkdirSync(temporary, { recursive: true })
  const [command, ...before] = server
  // It refuses root unless root is asked for by name.
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  const common = [...before, ...user, `--datadir=${data}`, `--tmpdir=${temporary}`]
  if (!existsSync(join(data, 'mysql.ibd'))) await runCommand(command, [...common, '--initialize-insecure'])
  await startProcess({
    name: 'MySQL',
    directory,
    command,
    args: [
      ...common,
      ...[`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${socketOf('mysql', port)}`],
      ...['--mysqlx=OFF', '--secure-file-priv=NULL', '--skip-name-resolve', '--default-time-zone=+00:00'],
      // What Debezium needs beside MySQL's own defaults (the binlog is on, with whole rows).
      ...['--server-id=223355', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
      // Small and quick.
      ...['--innodb-buffer-pool-size=128M', '--performance-schema=OFF', '--max-connections=100'],
      `--pid-file=${join(directory, 'mysqld.pid')}`,
    ],
    ready: () => accepts(port),
  })
}
