/** `waybill replay FILE…`: captured changes through the whole pipeline, in their own time. */
import type { Command } from 'commander'
import { type BadLine, CapturedFileError, readCapturedFiles } from '../../connectors/ingest/captured-file.ts'
import { makeVetting } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import { CliError, oneLine, problemText } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { StopReason, Surroundings } from '../cli/surroundings.ts'
import { programVersion } from '../cli/version.ts'
import { type Config, type Flags, readConfig } from '../config/config.ts'
import { readPartnersFile } from '../config/partners.ts'
import { readSourceFile } from '../config/source.ts'
import { dryRunSender } from '../replay/dry-run-sender.ts'
import { replayProgress } from '../replay/progress.ts'
import { runReplay } from '../replay/run-replay.ts'
import { summarize, summaryText } from '../replay/summary.ts'
import { addFormatOptions, type Finish } from './options.ts'

const examples = `
Files hold one record per line, plain or gzip: {"topic", "partition", "offset", "timestamp", "key", "value",
"headers"}; "-" is standard input. Several files are merged by timestamp. Nothing is kept: the replay has a log of
its own, which is thrown away.

Examples:
  waybill replay --dry-run captured.jsonl              what would be sent, one JSON line each
  waybill replay --dry-run *.jsonl.gz | jq .payload.event
  waybill replay --dry-run --strict a.jsonl > /dev/null   exit 100 if anything is undecodable
  waybill replay --partners partners.yaml a.jsonl      really sends

The summary goes to stderr. Exit codes: 0 ok, 2 wrong usage or input, 100 undecodable records with --strict,
130 interrupted.
`

interface ReplayFlags extends Flags {
  readonly dryRun?: boolean
  readonly strict?: boolean
}

/** Adds the command to the program. */
export function addReplay(program: Command, surroundings: Surroundings, finish: Finish): void {
  const command = program
    .command('replay')
    .description('run captured changes through the pipeline, in their own time')
    .argument('<files...>', 'captured records, JSON lines, plain or gzip')
    .option('--dry-run', 'send nothing; print what would be sent')
    .option(
      '--partners <file>',
      'partners.yaml (default with --dry-run: every partner gets everything, as v2)',
    )
    .option('--source <file>', 'source.yaml: how tables and columns become events')
    .option('--strict', 'exit 100 when a line or record cannot be read')
  addFormatOptions(command)
  command
    .addHelpText('after', examples)
    .action(async (files: string[]) =>
      finish(await replay(files, command.optsWithGlobals<ReplayFlags>(), surroundings)),
    )
}

/** Replays the files; returns the exit code. */
export async function replay(
  files: readonly string[],
  flags: ReplayFlags,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { clock, stdout, stderr, stop } = surroundings
  const config = readConfig(flags, surroundings)
  const dryRun = flags.dryRun === true
  const mapping = readSourceFile(config.sourceFile)
  const partners = readReplayPartners(config, dryRun, surroundings)
  const badLines = badLineReporter((text) => stderr.write(`${text}\n`))
  const progress = replayProgress(stderr, clock)
  const http = dryRun ? undefined : createHttpSender({ clock, egress: config.egress })
  const startedAt = clock.now()
  try {
    const outcome = await runReplay({
      records: progress.counting(
        readCapturedFiles(files, { onBadLine: badLines.report, stdin: surroundings.stdin }),
      ),
      mapping,
      partners,
      sender: () => http ?? dryRunSender(stdout),
      onSettled: progress.show,
      // A dry run signs nothing that anybody checks.
      onSecretMade: ({ endpointId, forPartner }) => {
        if (!dryRun) stderr.write(`waybill: this replay signs for ${endpointId} with ${forPartner}\n`)
      },
      report: (message, cause) =>
        stderr.write(`${oneLine(`waybill: ${message}${cause === undefined ? '' : `: ${String(cause)}`}`)}\n`),
      version: programVersion(),
      signal: stop,
    })
    progress.clear()
    badLines.close()
    const elapsedMs = clock.now() - startedAt
    const summary = summarize(outcome, {
      dryRun,
      complete: !stop.aborted,
      badLines: badLines.count(),
      elapsedMs,
    })
    stderr.write(`${config.format === 'json' ? JSON.stringify(summary) : summaryText(summary)}\n`)
    if (stop.aborted)
      return (stop.reason as StopReason) === 'broken-pipe' ? exitCode.ok : exitCode.interrupted
    const unreadable = summary.undecodable_total + summary.bad_lines
    return flags.strict === true && unreadable > 0 ? exitCode.findings : exitCode.ok
  } catch (error) {
    progress.clear()
    if (!(error instanceof CapturedFileError)) throw error
    const problem = { what: error.reason, place: { file: error.file }, mend: 'check the path and the file' }
    throw new CliError(exitCode.usage, problem, { cause: error })
  } finally {
    await http?.close()
  }
}

function readReplayPartners(config: Config, dryRun: boolean, { env }: Surroundings) {
  if (config.partnersFile !== undefined) {
    return readPartnersFile(config.partnersFile, { env, vetting: makeVetting(config.egress) })
  }
  if (dryRun) return undefined
  throw new CliError(exitCode.usage, {
    what: 'nobody is named to send to',
    mend: 'add --dry-run, or name them with --partners',
  })
}

/** A file of the wrong kind has as many bad lines as it has lines: the first few tell enough. */
const badLinesShown = 10

function badLineReporter(print: (text: string) => void) {
  let count = 0
  return {
    count: () => count,
    report({ file, line, reason }: BadLine) {
      count++
      if (count > badLinesShown) return
      const problem = { what: `not a record: ${reason}`, place: { file, line }, mend: 'skipped' }
      print(`waybill: ${problemText(problem)}`)
    },
    close() {
      if (count > badLinesShown) print(`waybill: and ${count - badLinesShown} more lines like these`)
    },
  }
}
