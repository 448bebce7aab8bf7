/**
 * A real PostgreSQL server of our own, for tests: found on the machine, made in a temporary directory, reached on a
 * free port, and gone at the end. PostgreSQL refuses to run as root; there it runs as an ordinary user.
 */
import { execFile } from 'node:child_process'
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export interface PostgresServer {
  readonly url: string
  /** Ends it as a crash of the machine's process would. */
  crash(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

const missing = 'no initdb and pg_ctl on this machine'

/** The folder with the programs, or why there is none. */
export function findPostgres(): { readonly bin: string } | { readonly skip: string } {
  const versions = readdirOrNothing('/usr/lib/postgresql')
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...versions]
  const bin = folders.find((folder) => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'pg_ctl')))
  if (!bin) return { skip: missing }
  if (process.getuid?.() === 0 && !ordinaryUser())
    return { skip: 'running as root, and no other user to run it as' }
  return { bin }
}

/** Makes and starts one. */
export async function startPostgres(bin: string): Promise<PostgresServer> {
  const home = mkdtempSync(join(tmpdir(), 'waybill-postgres-'))
  const user = process.getuid?.() === 0 ? ordinaryUser() : undefined
  if (user) chownSync(home, user.uid, user.gid)
  const data = join(home, 'data')
  const port = await freePort()
  const run = (program: string, args: readonly string[]) =>
    execute(join(bin, program), [...args], { cwd: home, ...user })
  const options = `-p ${port} -k ${home} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB`
  const start = async () => {
    await run('pg_ctl', ['-D', data, '-w', '-l', join(home, 'server.log'), '-o', options, 'start'])
  }
  await run('initdb', ['-D', data, '-U', 'waybill', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'])
  await start()
  return {
    url: `postgres://waybill:not-asked-for@127.0.0.1:${port}/postgres`,
    start,
    async crash() {
      await run('pg_ctl', ['-D', data, '-w', '-m', 'immediate', 'stop'])
    },
    async stop() {
      await run('pg_ctl', ['-D', data, '-w', '-m', 'immediate', 'stop']).catch(() => undefined)
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function ordinaryUser(): { uid: number; gid: number } | undefined {
  for (const name of ['postgres', 'nobody']) {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((each) => each.startsWith(`${name}:`))
    const [, , uid, gid] = line?.split(':') ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function readdirOrNothing(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
