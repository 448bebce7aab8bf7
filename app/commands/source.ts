/** `waybill source check FILE…`: what captured changes would become under a source.yaml, and what does not fit. */
import type { Command } from 'commander'
import { CapturedFileError, readPlacedRecords } from '../../connectors/ingest/captured-file.ts'
import { makeSealer } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { StopReason, Surroundings } from '../cli/surroundings.ts'
import { type Flags, readConfig } from '../config/config.ts'
import { readSourceFile } from '../config/source.ts'
import { sourceCheck } from '../source-check/check-source.ts'
import { reportText } from '../source-check/report-text.ts'
import { addFormatOptions, type Finish } from './options.ts'

const examples = `
Files hold one captured record or change message per line, plain or gzip; "-" is standard input. Nothing is sent and
nothing is kept.

Examples:
  waybill source check sample.jsonl                          with the default mapping
  waybill source check --source my-source.yaml *.jsonl.gz    with your own
  waybill source check --json sample.jsonl | jq .findings

Exit codes: 0 nothing to mend, 100 something to look at, 2 wrong usage, source.yaml or input, 130 interrupted.
`

/** Adds the command to the program. */
export function addSource(program: Command, surroundings: Surroundings, finish: Finish): void {
  const source = program.command('source').description('look at how your tables become events')
  const check = source
    .command('check')
    .description('say what captured changes would become, and what is not mapped')
    .argument('<files...>', 'captured records or change messages, JSON lines, plain or gzip')
    .option('--source <file>', 'source.yaml: how tables and columns become events')
  addFormatOptions(check)
  check
    .addHelpText('after', examples)
    .action(async (files: string[]) =>
      finish(await checkSource(files, check.optsWithGlobals<Flags>(), surroundings)),
    )
}

/** Checks the files; returns the exit code. */
export async function checkSource(
  files: readonly string[],
  flags: Flags,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { stdout, stdin, stop, random } = surroundings
  const config = readConfig(flags, surroundings)
  const seal = makeSealer({ keys: [{ id: 'check', key: random.bytes(32) }], active: 'check', random })
  const check = sourceCheck(readSourceFile(config.sourceFile), seal)
  try {
    for await (const batch of readPlacedRecords(files, { onBadLine: check.badLine, stdin })) {
      if (stop.aborted) break
      for (const placed of batch) check.take(placed)
    }
  } catch (error) {
    if (!(error instanceof CapturedFileError)) throw error
    const problem = { what: error.reason, place: { file: error.file }, mend: 'check the path and the file' }
    throw new CliError(exitCode.usage, problem, { cause: error })
  }
  if (stop.aborted) return (stop.reason as StopReason) === 'broken-pipe' ? exitCode.ok : exitCode.interrupted
  const report = check.conclude()
  stdout.write(`${config.format === 'json' ? JSON.stringify(report) : reportText(report)}\n`)
  return report.findings.length > 0 ? exitCode.findings : exitCode.ok
}
