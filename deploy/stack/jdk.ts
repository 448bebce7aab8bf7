/** Finds a Java that is new enough: $JAVA_BIN, $JAVA_HOME, the PATH, then where systems keep several. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where Debian, Red Hat and macOS keep their JDKs. */
const homes = ['/usr/lib/jvm', '/usr/java', '/Library/Java/JavaVirtualMachines']

/** The path of a `java` whose major version is at least this; `undefined`: there is none. */
export function findJava(atLeast: number): string | undefined {
  return candidates().find((java) => (majorOf(java) ?? 0) >= atLeast)
}

function candidates(): string[] {
  const { JAVA_BIN, JAVA_HOME, PATH = '' } = process.env
  const named = [JAVA_BIN, JAVA_HOME && join(JAVA_HOME, 'bin/java')].filter((path) => path !== undefined)
  const onPath = PATH.split(':').map((folder) => join(folder, 'java'))
  const kept = homes.flatMap((home) =>
    existsSync(home)
      ? readdirSync(home).flatMap((name) => [
          join(home, name, 'bin/java'),
          join(home, name, 'Contents/Home/bin/java'),
        ])
      : [],
  )
  return [...named, ...onPath, ...kept].filter((path) => path !== '' && existsSync(path))
}

const known = new Map<string, number | undefined>()

function majorOf(java: string): number | undefined {
  if (!known.has(java)) known.set(java, askMajor(java))
  return known.get(java)
}

/** The first line is `openjdk 17.0.15 2025-04-15`, or `java 25.0.1 …`. */
function askMajor(java: string): number | undefined {
  try {
    const text = execFileSync(java, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const found = /^\S+ (\d+)/.exec(text)?.[1]
    return found === undefined ? undefined : Number(found)
  } catch {
    // A stub that names no Java (as on macOS), or one of another machine.
    return undefined
  }
}
