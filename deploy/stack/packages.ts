/**
 * Brings in what a service is made of: archives from Maven Central, programs from Debian. Each is fetched once, put
 * in place by a rename, and shared by every stack of this checkout.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findJava } from './jdk.ts'
import { runCommand } from './run-command.ts'
import { StackError } from './stack-error.ts'
import { type DebianAside, unpackAside } from './unpack-aside.ts'

export interface Packages {
  /** Where they are kept. */
  readonly directory: string
  /** Says what is fetched or installed. */
  readonly report: (text: string) => void
  /** A `java` of at least this version. */
  java(atLeast: number): Promise<string>
  /**
   * The folder that a pom fills: it is run with `-Dfolder=<where to put things>` and these versions. The name tells
   * one set of versions from another.
   */
  maven(request: MavenRequest): Promise<string>
  /** Makes sure that these programs are on the PATH, else installs these Debian packages. */
  debian(programs: readonly string[], packages: readonly string[]): Promise<void>
  /**
   * A folder with these packages of another release of Debian and all that they need, unpacked beside the system
   * instead of installed: for programs that the machine's own release does not have.
   */
  debianAside(request: DebianAside): Promise<string>
}

export interface MavenRequest {
  readonly name: string
  readonly pom: string
  readonly properties: Readonly<Record<string, string>>
}

/** Packages below a folder; `report` is told what is fetched or installed. */
export function openPackages(directory: string, report: (text: string) => void): Packages {
  const fetching = new Map<string, Promise<string>>()

  function fetchOnce(name: string, fetch: () => Promise<string>): Promise<string> {
    const known = fetching.get(name) ?? fetch()
    fetching.set(name, known)
    known.catch(() => fetching.delete(name))
    return known
  }

  async function fetchMaven({ name, pom, properties }: MavenRequest): Promise<string> {
    const place = join(directory, name)
    if (existsSync(place)) return place
    await java(17)
    await debian(['mvn'], ['maven'])
    report(`fetching ${name} from Maven Central …`)
    mkdirSync(directory, { recursive: true })
    const aside = mkdtempSync(`${place}.`)
    try {
      const versions = Object.entries(properties).map(([key, value]) => `-D${key}=${value}`)
      await runCommand('mvn', ['-q', '-B', '-ntp', '-f', pom, `-Dfolder=${aside}`, ...versions, 'package'], {
        mend: 'Maven Central, or a mirror in ~/.m2/settings.xml, must be reachable',
      })
      renameSync(aside, place)
    } catch (error) {
      rmSync(aside, { recursive: true, force: true })
      // Another run was faster: then its folder is as good.
      if (!existsSync(place)) throw error
    }
    return place
  }

  async function debian(programs: readonly string[], packages: readonly string[]): Promise<void> {
    const missing = programs.filter((program) => programPath(program) === undefined)
    if (missing.length === 0) return
    const command = `apt-get install ${packages.join(' ')}`
    const what = `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not on this machine`
    if (!existsSync('/usr/bin/apt-get')) throw new StackError(what, 'install it, or use Docker')
    if (process.getuid?.() !== 0) throw new StackError(what, `run once: sudo ${command}`)
    report(`installing ${packages.join(', ')} (Debian) …`)
    await install(packages, `run by hand: ${command}`)
  }

  async function java(atLeast: number): Promise<string> {
    const found = findJava(atLeast)
    if (found !== undefined) return found
    const what = `no Java ${atLeast} or newer is on this machine`
    const mend = `install a JDK ${atLeast} or newer and point JAVA_HOME to it`
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new StackError(what, mend)
    // Each release of Debian has one or two of these.
    const release = [17, 21, 25].filter((version) => version >= atLeast)
    for (const version of release) {
      report(`installing Java ${version} (Debian) …`)
      await install([`openjdk-${version}-jdk-headless`], mend).catch((error: StackError) =>
        report(error.message),
      )
      const installed = findJava(atLeast)
      if (installed !== undefined) return installed
    }
    throw new StackError(what, mend)
  }

  return {
    directory,
    report,
    java,
    debian,
    debianAside: (request) => fetchOnce(request.name, () => unpackAside(directory, request, report)),
    maven: (request) => fetchOnce(request.name, () => fetchMaven(request)),
  }
}

let updated: Promise<string> | undefined

/** A list of packages as old as the image does not find those that were replaced since. */
async function install(packages: readonly string[], mend: string): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  updated ??= runCommand('apt-get', ['update', '-qq'], { env, mend })
  await updated
  const options = ['install', '-y', '-qq', '--no-install-recommends']
  // Waits for another run that installs.
  await runCommand('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...options, ...packages], { env, mend })
}

/** Where the PATH has a program. */
export function programPath(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}
