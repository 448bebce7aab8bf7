/** `waybill connectors plan|apply|status|restart`: the connectors that capture changes, on a Kafka Connect worker. */
import type { Command } from 'commander'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import {
  addDatabaseOption,
  addWorkerOptions,
  type ConnectorFlags,
  type ConnectorsRun,
  connectEnvironmentHelp,
  readFiles,
  withWorker,
} from '../connectors/connectors-run.ts'
import {
  applyConnectors,
  planConnectors,
  restartConnectors,
  showStatus,
} from '../connectors/run-connectors.ts'
import type { Finish } from './options.ts'

const planExamples = `
A file is a JSON object of settings and is named like its connector. --database takes those that ship, in
connectors/debezium; copy them to change tables, ids or topics. Secrets are references that the worker looks up
(\${env:OMS_DB_PASSWORD}); a secret in clear is refused. What must hold is checked, and the worker's plugin looks at each
configuration that would change, which reaches for the database.

Examples:
  waybill connectors plan --database mariadb            what apply would do; exit 100 if anything
  waybill connectors apply --database mariadb           do it, and wait until everything runs
  waybill connectors apply my/oms.json my/dispatch.json your own
`

const statusExamples = `
Examples:
  waybill connectors status              all of the worker; exit 100 if one does not run
  waybill connectors restart --all       all of them
  waybill connectors restart --failed    what failed alone
  waybill connectors restart --from-snapshot mariadb-orders
                                         when the database's log is gone: docs/capture.md
`

const bodies = { plan: planConnectors, apply: applyConnectors } as const

interface RestartFlags extends ConnectorFlags {
  readonly all?: boolean
  readonly failed?: boolean
  readonly fromSnapshot?: boolean
}

/** Adds the commands to the program. */
export function addConnectors(program: Command, surroundings: Surroundings, finish: Finish): void {
  const connectors = program
    .command('connectors')
    .description('capture changes with Kafka Connect and Debezium')

  const run = async (
    flags: ConnectorFlags,
    body: (parts: ConnectorsRun) => Promise<ExitCode>,
  ): Promise<void> => finish(await withWorker(flags, surroundings, body))

  for (const name of ['plan', 'apply'] as const) {
    const command = connectors
      .command(name)
      .description(name === 'plan' ? 'say what apply would do' : 'make the worker capture as the files say')
      .argument('[files...]', 'connector files')
    addDatabaseOption(command)
    addWorkerOptions(command)
    command
      .addHelpText('after', `${connectEnvironmentHelp}${planExamples}`)
      .action(async (paths: string[]) => {
        const flags = command.optsWithGlobals<ConnectorFlags>()
        const files = readFiles(paths, flags, surroundings)
        await run(flags, (parts) => bodies[name](parts, files))
      })
  }

  const status = connectors
    .command('status')
    .description('show what runs, and why the rest does not')
    .argument('[names...]', 'connectors (default: all)')
  addWorkerOptions(status)
  status
    .addHelpText('after', `${connectEnvironmentHelp}${statusExamples}`)
    .action(async (names: string[]) => {
      const flags = status.optsWithGlobals<ConnectorFlags>()
      await run(flags, (parts) => showStatus(parts, names))
    })

  const restart = connectors
    .command('restart')
    .description('start connectors and their tasks anew')
    .argument('[names...]', 'connectors')
    .option('--all', 'every connector of the worker')
    .option('--failed', 'of these, what failed alone')
    .option('--from-snapshot', 'forget the position and read the tables anew; nothing of that is sent')
  addWorkerOptions(restart)
  restart
    .addHelpText('after', `${connectEnvironmentHelp}${statusExamples}`)
    .action(async (names: string[]) => {
      const flags = restart.optsWithGlobals<RestartFlags>()
      const { all = false, failed: onlyFailed = false, fromSnapshot = false } = flags
      const mend = fromSnapshot
        ? 'name the connectors to read anew'
        : 'name connectors, or say --all or --failed'
      if (names.length === 0 && (fromSnapshot || !(all || onlyFailed))) {
        throw new CliError(exitCode.usage, { what: 'nothing named to restart', mend })
      }
      await run(flags, (parts) => restartConnectors(parts, names, { onlyFailed, fromSnapshot }))
    })
}
