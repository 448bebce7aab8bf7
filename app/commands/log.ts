/** `waybill log rebuild`: the delivery log, written anew from the topics. */
import type { Command } from 'commander'
import { makeCodecs } from '../../schemas/index.ts'
import { topicRetention } from '../../topology/retention.ts'
import { makeTopics } from '../../topology/topics.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { StopReason, Surroundings } from '../cli/surroundings.ts'
import { type Config, type Flags, readConfig } from '../config/config.ts'
import { formatDuration } from '../config/duration.ts'
import { rebuildProgress, rebuildText } from '../log-rebuild/rebuild-text.ts'
import { type RebuildReport, runRebuild } from '../log-rebuild/run-rebuild.ts'
import { openStore, storePlace } from '../serve/open-store.ts'
import { environmentalFailure } from '../start/environmental-failure.ts'
import { withLog, withRegistry } from '../start/open-for-command.ts'
import { addDataOptions, addFormatOptions, type Finish } from './options.ts'

const examples = `
Waybill must not be running on the data directory; on Kafka, stop the instances with the role log. Everything that the topics still hold is written again; nothing is
sent. What is broken off is completed by the next start, or by another rebuild.

Examples:
  waybill log rebuild                                     the embedded delivery log of ./.waybill
  waybill log rebuild --config /etc/waybill.yaml --json   as configured, the counts as JSON
  WAYBILL_DATABASE_URL=postgres://… waybill log rebuild   into a server

Exit codes: 0 rebuilt, 2 wrong usage or configuration, 3 the data directory is in use or the database cannot be reached,
130 interrupted.
`

/** Adds the command to the program. */
export function addLog(program: Command, surroundings: Surroundings, finish: Finish): void {
  const log = program.command('log').description('look after the delivery log')
  const rebuild = log
    .command('rebuild')
    .description('empty the delivery log and write it anew from the topics')
    .option('--forget-older', 'also when it may hold events that the topics have no more: they go')
  addDataOptions(rebuild)
  addFormatOptions(rebuild)
  rebuild
    .addHelpText('after', examples)
    .action(async () =>
      finish(
        await rebuildCommand(rebuild.optsWithGlobals<Flags & { forgetOlder?: boolean }>(), surroundings),
      ),
    )
}

async function rebuildCommand(
  flags: Flags & { forgetOlder?: boolean },
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { stdout, stop } = surroundings
  const config = readConfig({ ...flags, demo: false }, surroundings)
  const topicsKeepMs = topicRetention.deliveryHistory.retentionMs
  if (config.keepMs > topicsKeepMs && flags.forgetOlder !== true) {
    throw new CliError(exitCode.usage, {
      what: `the delivery log keeps ${formatDuration(config.keepMs)}, the topics from which it would be written anew ${formatDuration(topicsKeepMs)}: what is older would be lost`,
      mend: 'give --forget-older if that is meant, or restore a backup of the database',
    })
  }
  const report = await rebuild(config, surroundings).catch((error: unknown) => {
    throw environmentalFailure(error)
  })
  stdout.write(`${config.format === 'json' ? JSON.stringify(report) : rebuildText(report)}\n`)
  if (report.complete) return exitCode.ok
  return (stop.reason as StopReason) === 'broken-pipe' ? exitCode.ok : exitCode.interrupted
}

/** The lock of an embedded log is held from beginning to end: a Waybill that starts meanwhile is told so. */
function rebuild(config: Config, surroundings: Surroundings): Promise<RebuildReport> {
  const { clock, stderr, stop } = surroundings
  return withLog(config, surroundings, (log) =>
    withRegistry(config, surroundings, async (registry) => {
      const topics = makeTopics(makeCodecs(registry))
      const store = await openStore({ log, topics, place: storePlace(config), clock })
      const progress = rebuildProgress(stderr, clock)
      try {
        return await runRebuild({
          ...{ log, topics, store, signal: stop },
          now: clock.now,
          onProgress: progress.show,
        })
      } finally {
        progress.clear()
        await store.close()
      }
    }),
  )
}
