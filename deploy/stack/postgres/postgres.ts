/** PostgreSQL from Debian, with logical decoding, the order system's tables, and a database for the delivery log. */
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { capturerRights } from '../capturer-rights.ts'
import { programPath } from '../packages.ts'
import { startProcess } from '../process.ts'
import { runCommand } from '../run-command.ts'
import type { ServiceDefinition, StartContext } from '../service.ts'
import { StackError } from '../stack-error.ts'

const debianHome = '/usr/lib/postgresql'

export const postgres: ServiceDefinition = {
  name: 'postgres',
  needs: [],
  async prepare(context) {
    if (binaries() === undefined) await context.packages.debian(['initdb'], ['postgresql'])
    const [port = 0] = await context.ports('postgres')
    const { directory, assets } = context
    const server = `127.0.0.1:${port}`
    const run = (database: string, input: string) =>
      runCommand(
        'psql',
        [
          ...['-q', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-d', database],
          ...['-v', 'ON_ERROR_STOP=1', '-f', '-'],
        ],
        { input },
      )
    const asset = (file: string) => readFileSync(join(assets, 'postgres', file), 'utf8')
    return {
      nodes: [{ directory, start: () => startServer(context, port) }],
      facts: {
        host: '127.0.0.1',
        port: String(port),
        url: `postgres://waybill:waybill@${server}/waybill`,
        omsUrl: `postgres://postgres@${server}/oms`,
      },
      async seed() {
        await run('postgres', asset('init.sql'))
        await run('oms', asset('oms.sql') + capturerRights('postgresql'))
      },
    }
  },
}

/** Where `initdb` and `postgres` are: Debian keeps them off the PATH, by major version. */
function binaries(): string | undefined {
  const kept = existsSync(debianHome) ? readdirSync(debianHome) : []
  const newest = kept.toSorted((a, b) => Number(b) - Number(a)).map((major) => join(debianHome, major, 'bin'))
  const onPath = programPath('initdb')
  return newest.find((folder) => existsSync(join(folder, 'initdb'))) ?? onPath?.replace(/\/initdb$/, '')
}

async function startServer({ directory }: StartContext, port: number): Promise<void> {
  const programs = binaries()
  if (programs === undefined) throw new StackError('PostgreSQL has no initdb', 'install postgresql')
  const data = join(directory, 'data')
  mkdirSync(directory, { recursive: true })
  const identity = unprivileged(directory)
  const asUser = { cwd: directory, ...(identity && { identity }) }
  if (!existsSync(join(data, 'PG_VERSION'))) {
    const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8']
    await runCommand(join(programs, 'initdb'), ['-D', data, ...options], {
      ...asUser,
      mend: 'every folder above the state directory must be open to the user postgres; STACK_DIR moves it',
    })
  }
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: data,
    wal_level: 'logical',
    max_replication_slots: 8,
    max_wal_senders: 8,
    max_slot_wal_keep_size: '2GB',
    shared_buffers: '64MB',
    timezone: 'UTC',
  }
  await startProcess({
    name: 'PostgreSQL',
    directory,
    command: join(programs, 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    ...asUser,
    // It takes connections before it can serve them.
    ready: () => isReady(port),
  })
}

const isReady = (port: number): Promise<boolean> =>
  runCommand('pg_isready', ['-q', '-h', '127.0.0.1', '-p', String(port)]).then(
    () => true,
    () => false,
  )

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
function unprivileged(directory: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((user) => user.startsWith('postgres:'))
  const [, , uid, gid] = line?.split(':').map(Number) ?? []
  if (uid === undefined || gid === undefined)
    throw new StackError('PostgreSQL does not run as root', 'make a user postgres')
  chownSync(directory, uid, gid)
  return { uid, gid }
}
