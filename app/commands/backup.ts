/** `waybill backup` and `waybill restore`: the data of the embedded tier as one file, and back. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { LogError } from '../../engine/index.ts'
import { checkNoFile, unusableBackup, writeBackupFile } from '../backup/backup-file.ts'
import { BackupError } from '../backup/backup-format.ts'
import { readSmallFiles } from '../backup/data-parts.ts'
import { byteProgress, sizeText } from '../backup/progress.ts'
import { type BackupSummary, readBackup } from '../backup/read-backup.ts'
import { restoreBackup } from '../backup/restore-backup.ts'
import { backupBytes } from '../backup/write-backup.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { programVersion } from '../cli/version.ts'
import { withClient } from '../client/run-client.ts'
import { type Config, type Flags, readConfig } from '../config/config.ts'
import { openExistingLog } from '../start/open-log.ts'
import { formatCount } from '../view/cells.ts'
import { addDataOptions, addFormatOptions, type Finish } from './options.ts'

const backupExamples = `
Environment:
  WAYBILL_TOKEN     an operator's token, for --url where one is asked for
  WAYBILL_DATA_DIR  the data directory of a stopped one (--data-dir wins)

The file holds everything from which the data directory can be made again, as it was at one moment. The sealing keys are
never in it: keep the key file apart, and as safe. A running Waybill is asked with --url; a stopped one is read from its
data directory. The file is read through before it gets its name, and never written over another.

Examples:
  waybill backup waybill-2026-11-25.backup --url http://127.0.0.1:4929   of one that runs
  waybill backup waybill-2026-11-25.backup                               of ./.waybill, stopped

Exit codes: 0 written, 2 wrong usage or configuration, 3 the data directory is in use, nothing answers, or the disk is
full, 130 interrupted.
`

const restoreExamples = `
Only into an empty directory; keys.json may be in it. What was read is written, read back, opened once, and only then put
in its place. Nothing is lost up to the moment of the backup; what was sent behind it is sent again, with the same
webhook-id. docs/living-with-it.md says what to do about changes that came in behind it.

Examples:
  waybill restore waybill-2026-11-25.backup --data-dir .waybill
  waybill restore waybill-2026-11-25.backup --check              looks whether the file is whole, and writes nothing

Exit codes: 0 restored, 2 wrong usage, or the file cannot be used, 3 the disk is full, 130 interrupted.
`

type BackupFlags = Flags & { readonly url?: string }
type RestoreFlags = Flags & { readonly check?: boolean }

/** Adds both commands to the program. */
export function addBackup(program: Command, surroundings: Surroundings, finish: Finish): void {
  const backup = program
    .command('backup')
    .description('write everything that the embedded Waybill keeps to a file, also while it runs')
    .argument('<file>', 'where; a file that is there is never overwritten')
    .option('--url <url>', 'ask the Waybill that runs there, instead of reading a data directory')
  addDataOptions(backup)
  addFormatOptions(backup)
  backup
    .addHelpText('after', backupExamples)
    .action(async (file: string) =>
      finish(await runBackup(file, backup.optsWithGlobals<BackupFlags>(), surroundings)),
    )

  const restore = program
    .command('restore')
    .description('make a data directory of a backup')
    .argument('<file>', 'what `waybill backup` wrote')
    .option('--check', 'only read it through')
  addDataOptions(restore)
  addFormatOptions(restore)
  restore
    .addHelpText('after', restoreExamples)
    .action(async (file: string) =>
      finish(await runRestore(file, restore.optsWithGlobals<RestoreFlags>(), surroundings)),
    )
}

async function runBackup(named: string, flags: BackupFlags, surroundings: Surroundings): Promise<ExitCode> {
  const file = resolve(surroundings.cwd, named)
  checkNoFile(file)
  return wording(file, surroundings, () =>
    flags.url === undefined ? offline(file, flags, surroundings) : online(file, flags, surroundings),
  )
}

/** A stopped Waybill: the log's lock is held to the end, so none starts meanwhile. */
async function offline(file: string, flags: Flags, surroundings: Surroundings): Promise<ExitCode> {
  const config = readConfig({ ...flags, demo: false }, surroundings)
  if (config.kafka) throw elsewhere()
  const { clock } = surroundings
  const log = await openExistingLog(config.dataDirectory, clock).catch((error: unknown) => {
    throw running(config, error)
  })
  try {
    const bytes = backupBytes({
      snapshot: log.snapshot(),
      createdAt: clock.now(),
      version: programVersion(),
      files: () => readSmallFiles(config.dataDirectory),
    })
    return await write(file, bytes, config.format, surroundings)
  } finally {
    await log.close()
  }
}

async function online(file: string, flags: BackupFlags, surroundings: Surroundings): Promise<ExitCode> {
  if (flags.dataDir !== undefined) {
    throw new CliError(exitCode.usage, {
      what: '--url and --data-dir are two ways to say what is to be backed up',
      mend: 'leave one of them out',
    })
  }
  return withClient(flags, surroundings, async ({ client, config }) => {
    const bytes = await client.stream('/v1/backup')
    return write(file, bytes, config.format, surroundings)
  })
}

async function write(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  format: Config['format'],
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { stdout, stderr, clock, stop } = surroundings
  const progress = byteProgress(stderr, clock, 'written')
  const startedAt = clock.now()
  const written = await writeBackupFile({ file, bytes, onProgress: progress.show, signal: stop }).finally(
    progress.clear,
  )
  const report = { file, ...written, elapsed_ms: clock.now() - startedAt }
  stdout.write(
    format === 'json'
      ? `${JSON.stringify(report)}\n`
      : `${file}: ${sizeText(written.size)}, ${contents(written)}, as of ${written.created_at}\n`,
  )
  stderr.write('waybill: the sealing keys are not in it: without the key file, nothing in it can be read\n')
  return exitCode.ok
}

async function runRestore(named: string, flags: RestoreFlags, surroundings: Surroundings): Promise<ExitCode> {
  const { clock, stdout, stderr, stop, cwd } = surroundings
  const file = resolve(cwd, named)
  if (!existsSync(file)) {
    throw new CliError(exitCode.usage, {
      what: 'there is no such file',
      place: { file },
      mend: 'check the path',
    })
  }
  const config = readConfig({ ...flags, demo: false }, surroundings)
  const { dataDirectory, keyFile } = config
  return wording(file, surroundings, async () => {
    const progress = byteProgress(stderr, clock, 'read', statSync(file).size)
    const { check = false } = flags
    const startedAt = clock.now()
    const restored = await (check
      ? readBackup(createReadStream(file))
      : restoreBackup({ file, dataDirectory, clock, onProgress: progress.show, signal: stop })
    ).finally(progress.clear)
    const report = {
      file,
      ...(!check && { data_dir: dataDirectory }),
      ...restored,
      elapsed_ms: clock.now() - startedAt,
    }
    const what = check ? `${file} is whole` : `${dataDirectory} is restored`
    stdout.write(
      config.format === 'json'
        ? `${JSON.stringify(report)}\n`
        : `${what}: ${contents(restored)}, as of ${restored.created_at}, by version ${restored.waybill_version}\n`,
    )
    if (!check && !existsSync(keyFile)) {
      stderr.write(
        `waybill: the sealing keys are not in a backup: put the key file where it belongs, ${keyFile}\n`,
      )
    }
    return exitCode.ok
  })
}

const contents = ({ entries, bytes }: BackupSummary): string =>
  `${formatCount(entries)} entries of ${sizeText(bytes)}`

/** Gives what went wrong its words. */
async function wording(
  file: string,
  { stop }: Surroundings,
  action: () => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await action()
  } catch (error) {
    if (stop.aborted) return exitCode.interrupted
    if (error instanceof BackupError) throw unusableBackup(file, error)
    if (error instanceof LogError) {
      const mend = 'mend that and try again; what was begun is removed'
      throw new CliError(exitCode.unreachable, { what: error.message, mend }, { cause: error })
    }
    throw error
  }
}

const elsewhere = (): CliError =>
  new CliError(exitCode.usage, {
    what: 'the record log is Kafka, and its backup is not ours to make',
    mend: 'replicate or snapshot the topics with the means of Kafka; docs/living-with-it.md says which of them matter',
  })

/** Whoever holds the directory can make the backup itself. */
function running(config: Config, error: unknown): unknown {
  if (!(error instanceof CliError) || !isHeld(error)) return error
  const { host = '127.0.0.1', port = 0 } = config.api ?? {}
  const [problem] = error.problems
  const url = port === 0 ? 'its address' : `http://${host}:${port}`
  return new CliError(
    exitCode.unreachable,
    {
      what: problem?.what ?? error.message,
      place: { file: config.dataDirectory },
      mend: `if that is Waybill at work, it makes the backup itself: add --url ${url}`,
    },
    { cause: error },
  )
}

function isHeld(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('reason' in at && at.reason === 'held') return true
  }
  return false
}
