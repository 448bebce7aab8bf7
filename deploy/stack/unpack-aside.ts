/**
 * Packages of another release of Debian, unpacked into a folder of their own with everything they need down to the C
 * library. Nothing of the system is touched: apt is given lists, cache and a state that lie beside the packages.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './run-command.ts'
import { StackError } from './stack-error.ts'

export interface DebianAside {
  readonly name: string
  readonly suite: string
  readonly packages: readonly string[]
}

const archive = 'http://deb.debian.org/debian'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The folder that holds them; fetched when it is not there. */
export async function unpackAside(
  directory: string,
  { name, suite, packages }: DebianAside,
  report: (text: string) => void,
): Promise<string> {
  const place = join(directory, name)
  if (existsSync(place)) return place
  if (!existsSync('/usr/bin/apt-get') || !existsSync(keyring)) {
    throw new StackError(`${packages.join(' and ')} can only be fetched on Debian`, 'install it by hand')
  }
  report(`fetching ${packages.join(', ')} (Debian ${suite}) …`)
  mkdirSync(directory, { recursive: true })
  const apt = mkdtempSync(`${place}.apt.`)
  const aside = mkdtempSync(`${place}.`)
  try {
    await download(apt, suite, packages)
    const archives = join(apt, 'cache/archives')
    for (const file of readdirSync(archives).filter((file) => file.endsWith('.deb'))) {
      await runCommand('dpkg-deb', ['-x', join(archives, file), aside])
    }
    renameSync(aside, place)
  } catch (error) {
    rmSync(aside, { recursive: true, force: true })
    // Another run was faster: then its folder is as good.
    if (!existsSync(place)) throw error
  } finally {
    rmSync(apt, { recursive: true, force: true })
  }
  return place
}

async function download(apt: string, suite: string, packages: readonly string[]): Promise<void> {
  for (const folder of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(apt, folder), { recursive: true })
  writeFileSync(join(apt, 'sources.list'), `deb [signed-by=${keyring}] ${archive} ${suite} main\n`)
  // As on a machine with nothing installed: then everything that is needed is fetched.
  writeFileSync(join(apt, 'status'), '')
  const beside = {
    'Dir::Etc::sourcelist': 'sources.list',
    'Dir::State::lists': 'lists',
    'Dir::State::status': 'status',
    'Dir::Cache': 'cache',
  }
  const options = [
    ...['-o', 'Dir::Etc::sourceparts=/dev/null', '-o', 'APT::Sandbox::User='],
    // A machine without a way out must not be kept waiting.
    ...['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=1'],
    ...Object.entries(beside).flatMap(([key, value]) => ['-o', `${key}=${join(apt, value)}`]),
  ]
  const mend = `Debian's archive must be reachable, with its release ${suite}`
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await runCommand('apt-get', [...options, 'update', '-qq'], { env, mend })
  const install = ['install', '-y', '-qq', '--no-install-recommends', '--download-only']
  await runCommand('apt-get', [...options, ...install, ...packages], { env, mend })
}
