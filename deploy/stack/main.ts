/**
 * `npm run stack`: the services of docker-compose.yml from packages, on the same ports, for machines without Docker.
 * Stops only what it started itself.
 */
import { assets, packagesDirectory, stackDirectory } from './assets.ts'
import { dockerAnswers } from './docker.ts'
import { fixedPorts } from './ports.ts'
import { type ServiceName, serviceNames } from './service.ts'
import { createStack, type Stack } from './stack.ts'
import { StackError } from './stack-error.ts'

const help = `Usage: npm run stack [up|down|status|fetch|wipe] [service …]

  up       start these services, with what they need, and wait until they serve
  down     stop them; their data stay
  status   what runs, where, and what is missing
  fetch    bring in what they are made of, without starting anything
  wipe     stop them and forget their data

Services: ${serviceNames.join(', ')}.
Without names: all but kafka-cluster and mysql. Data and packages lie in .stack/ of the checkout (STACK_DIR moves it).
`

const usual = serviceNames.filter((name) => name !== 'kafka-cluster' && name !== 'mysql')

async function main([command = 'up', ...names]: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !serviceNames.some((known) => known === name))
  if (!['up', 'down', 'status', 'fetch', 'wipe'].includes(command) || unknown.length > 0) {
    process.stdout.write(help)
    if (!['help', '--help', '-h'].includes(command)) process.exitCode = 2
    return
  }
  const stack = createStack({
    directory: `${stackDirectory}/data`,
    packagesDirectory,
    assets,
    ports: fixedPorts,
    report: say,
  })
  const chosen = names.length === 0 ? usual : serviceNames.filter((name) => names.includes(name))
  if (command === 'up') await up(stack, chosen)
  if (command === 'fetch') for (const name of chosen) await stack.prepare(name)
  if (command === 'status') await status(stack, chosen)
  if (command === 'down' || command === 'wipe') {
    for (const name of chosen.toReversed()) await stack.down(name)
    if (command === 'wipe') for (const name of chosen) stack.wipe(name)
  }
}

/** Goes on after a failure: who lacks a new Java still gets a broker. */
async function up(stack: Stack, names: readonly ServiceName[]): Promise<void> {
  if (!dockerAnswers()) say('no Docker engine answers here: starting from packages')
  for (const name of names) {
    try {
      const facts = await stack.up(name)
      say(`${name.padEnd(14)}${Object.values(facts)[0]}  ${rest(facts)}`)
    } catch (error) {
      if (!(error instanceof StackError)) throw error
      say(`${name.padEnd(14)}cannot be started: ${error.message}`)
      process.exitCode = 1
    }
  }
  if (names === usual)
    say('not part of the package stack: Grafana (no package has it); see docker-compose.yml')
}

async function status(stack: Stack, names: readonly ServiceName[]): Promise<void> {
  for (const name of names) {
    const pids = stack.pids(name)
    const running = pids?.filter((pid) => pid !== undefined) ?? []
    const state = running.length > 0 ? `runs (pid ${running.join(', ')})` : 'is not running'
    say(`${name.padEnd(14)}${state}`)
  }
}

const rest = (facts: Readonly<Record<string, string>>): string =>
  Object.entries(facts)
    .slice(1)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')

const say = (text: string): void => void process.stdout.write(`${text}\n`)

await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`stack: ${error instanceof StackError ? error.message : String(error)}\n`)
  process.exitCode = 1
})
