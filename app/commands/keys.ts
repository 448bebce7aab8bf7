/** `waybill keys …`: the keys that seal personal data, made once and on purpose, listed, replaced and retired. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type KeyFile, serializeKeyFile } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { type Config, type Flags, readConfig } from '../config/config.ts'
import { makeKeyFile, readKeyFile } from '../config/keys.ts'
import { writePrivateFile } from '../config/private-file.ts'
import { rotate, stagedKey, stageKey, withoutKey } from '../keys/key-rotation.ts'
import { findKeyUses, type KeyUses } from '../keys/key-usage.ts'
import { withLog } from '../start/open-for-command.ts'
import { addDataOptions, addFormatOptions, type Finish } from './options.ts'

const newExamples = `
Keep a copy as safe as the data: without it, nothing that was sealed can be opened again.

Examples:
  waybill keys new .waybill/keys.json    where waybill run looks by itself
  waybill keys new /etc/waybill/keys.json
`

const rotateExamples = `
Everything that is sealed from the next start on is sealed with the current key; partners' secrets are sealed anew then.
Former keys stay in the file, to open what they sealed: waybill keys list tells how much that is, waybill keys retire
takes one out when it is nothing. Keep a copy of the file each time.

Several instances: every one of them must know a key before one seals with it. Stage it, give the file to all of them
and restart them; then rotate, and do the same again.

Examples:
  waybill keys rotate --key-file /etc/waybill/keys.json
  waybill keys rotate --stage            adds a key that seals nothing yet; the next rotate makes it current
`

const listExamples = `
Looks through every topic for what each key sealed, so no embedded Waybill must be running on the data directory.

Examples:
  waybill keys list --config waybill.yaml
  waybill keys list --json | jq '.keys[] | select(.records == 0)'
`

/** Adds the command to the program. */
export function addKeys(program: Command, surroundings: Surroundings, finish: Finish): void {
  const keys = program.command('keys').description('make and replace the keys that seal personal data')
  keys
    .command('new')
    .description('make a key file, readable by its owner alone')
    .argument('<file>', 'where; a file that is there is never overwritten')
    .addHelpText('after', newExamples)
    .action((file: string) => finish(newKeys(file, surroundings)))

  const rotating = keys
    .command('rotate')
    .description('make a new key the one that seals, from the next start on')
    .option('--stage', 'only add the key; the next rotate makes it current')
  addKeyOptions(rotating)
  rotating
    .addHelpText('after', rotateExamples)
    .action(() => finish(rotateKeys(rotating.optsWithGlobals<Flags & { stage?: boolean }>(), surroundings)))

  const listing = keys
    .command('list')
    .description('list the keys, and how much each has sealed that is still there')
  addKeyOptions(listing)
  addFormatOptions(listing)
  listing
    .addHelpText('after', listExamples)
    .action(async () => finish(await listKeys(listing.optsWithGlobals<Flags>(), surroundings)))

  const retiring = keys
    .command('retire')
    .description('take a key out of the file, if nothing is left that it sealed')
    .argument('<id>', 'the key')
  addKeyOptions(retiring)
  retiring.action(async (id: string) =>
    finish(await retireKey(id, retiring.optsWithGlobals<Flags>(), surroundings)),
  )
}

function addKeyOptions(command: Command): void {
  addDataOptions(command)
  command.option('--key-file <file>', 'the sealing keys (default: keys.json in the data directory)')
}

function newKeys(named: string, surroundings: Surroundings): ExitCode {
  const file = resolve(surroundings.cwd, named)
  const made = makeKeyFile(file, surroundings)
  if (!made) {
    const problem = {
      what: 'there is a file already; it is kept',
      place: { file },
      mend: 'choose another name',
    }
    throw new CliError(exitCode.usage, problem)
  }
  surroundings.stderr.write(
    `waybill: made the key ${made.active} in ${file}: keep a copy as safe as the data\n`,
  )
  return exitCode.ok
}

function rotateKeys(flags: Flags & { stage?: boolean }, surroundings: Surroundings): ExitCode {
  const { keyFile } = readConfig({ ...flags, demo: false }, surroundings)
  const before = readKeyFile(keyFile)
  const making = { random: surroundings.random, nowMs: surroundings.clock.now() }
  const after = flags.stage === true ? stageKey(before, making) : rotate(before, making)
  writePrivateFile(keyFile, serializeKeyFile(after.file))
  const what = after.made ? `added the key ${after.id} to` : `took the staged key ${after.id} of`
  const seals = flags.stage === true ? 'it seals nothing yet' : 'it seals from the next start on'
  surroundings.stderr.write(
    `waybill: ${what} ${keyFile}: ${seals}; keep a copy of the file as safe as the data\n`,
  )
  return exitCode.ok
}

async function listKeys(flags: Flags, surroundings: Surroundings): Promise<ExitCode> {
  const config = readConfig({ ...flags, demo: false }, surroundings)
  const file = readKeyFile(config.keyFile)
  const uses = await usesOf(
    file.keys.map(({ id }) => id),
    config,
    surroundings,
  )
  const keys = file.keys.map(({ id, createdAt }) => ({
    id,
    state: stateOf(file, id),
    created_at: new Date(createdAt).toISOString(),
    records: (uses.get(id) ?? []).reduce((sum, { records }) => sum + records, 0),
    topics: uses.get(id) ?? [],
  }))
  surroundings.stdout.write(
    config.format === 'json'
      ? `${JSON.stringify({ keys })}\n`
      : keys
          .map(({ id, state, created_at, topics }) => {
            const where = topics.map(({ topic, records }) => `${topic} ${records}`).join(', ')
            return `${id}  ${state}  made ${created_at}  ${where === '' ? 'nothing sealed with it' : where}\n`
          })
          .join(''),
  )
  return exitCode.ok
}

type KeyState = 'current' | 'former' | 'staged'

const stateOf = (file: KeyFile, id: string): KeyState =>
  id === file.active ? 'current' : id === stagedKey(file)?.id ? 'staged' : 'former'

async function retireKey(id: string, flags: Flags, surroundings: Surroundings): Promise<ExitCode> {
  const config = readConfig({ ...flags, demo: false }, surroundings)
  const { keyFile } = config
  const file = readKeyFile(keyFile)
  const refuse = (what: string, mend: string): never => {
    throw new CliError(exitCode.usage, { what, place: { file: keyFile }, mend })
  }
  if (!file.keys.some((key) => key.id === id)) {
    refuse(`there is no key "${id}"`, `there are ${file.keys.map((key) => key.id).join(', ')}`)
  }
  if (file.active === id)
    refuse(`"${id}" is the key that seals`, 'make another current first: waybill keys rotate')
  const uses = (await usesOf([id], config, surroundings)).get(id) ?? []
  if (uses.length > 0) {
    const where = uses.map(({ topic, records }) => `${records} in ${topic}`).join(', ')
    refuse(
      `records are left that "${id}" sealed: ${where}`,
      'keep the key until they have gone by their age; settings are sealed anew by a start',
    )
  }
  writePrivateFile(keyFile, serializeKeyFile(withoutKey(file, id)))
  surroundings.stderr.write(
    `waybill: took the key ${id} out of ${keyFile}; backups of the data may still need it\n`,
  )
  return exitCode.ok
}

/** The lock of an embedded log is held while it is looked through. */
function usesOf(ids: readonly string[], config: Config, surroundings: Surroundings): Promise<KeyUses> {
  return withLog(config, surroundings, (log) => findKeyUses(log, ids, surroundings.stop))
}
