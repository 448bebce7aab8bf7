/** `waybill demo-dispatch`: the reference dispatch server, over the riders of a real database. */
import type { Command } from 'commander'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { StopReason, Surroundings } from '../cli/surroundings.ts'
import { wait } from '../cli/wait.ts'
import { databaseUnreachable, databaseUrl } from '../demo/order-database.ts'
import type { Finish } from './options.ts'

const examples = `
Answers dispatch.proto (connectors/dispatch/dispatch.proto) out of dispatch.assignments, in clear: for trying out, and as
an example for those who build one. Name it to Waybill as dispatch.address.

Examples:
  waybill demo-dispatch --database mysql://oms:oms@127.0.0.1:13306
  waybill demo-dispatch --database mysql://oms:oms@127.0.0.1:13306 --listen 127.0.0.1:7443

Exit codes: 0 stopped by SIGTERM, 130 by Ctrl-C, 2 wrong usage, 3 the database or the port cannot be used.
`

interface DemoDispatchFlags {
  readonly database: string
  readonly listen: string
}

/** Adds the command to the program. */
export function addDemoDispatch(program: Command, surroundings: Surroundings, finish: Finish): void {
  const command = program
    .command('demo-dispatch')
    .description('a dispatch system over gRPC, with the riders of a MariaDB or MySQL of your own')
    .requiredOption('--database <url>', 'where, e.g. mysql://oms:oms@127.0.0.1:13306')
    .option('--listen <host:port>', 'where it answers', '127.0.0.1:19051')
    .addHelpText('after', examples)
  command.action(async () =>
    finish(await runDispatch(command.optsWithGlobals<DemoDispatchFlags>(), surroundings)),
  )
}

async function runDispatch(flags: DemoDispatchFlags, surroundings: Surroundings): Promise<ExitCode> {
  const { clock, stop, stderr } = surroundings
  const { host, port } = placeOf(flags.listen)
  const url = databaseUrl(flags.database)
  // Loaded here, so that the other commands do not pay for the driver and gRPC.
  const [{ openSqlRiders }, { startDispatchServer }] = await Promise.all([
    import('../demo/sql-riders.ts'),
    import('../../connectors/dispatch/dispatch-server.ts'),
  ])
  const riders = await openSqlRiders(url).catch((cause: unknown) => {
    throw databaseUnreachable(cause)
  })
  try {
    const server = await startDispatchServer({ find: riders.find, host, port }).catch((cause: unknown) => {
      const what = `${flags.listen} cannot be listened on: ${cause instanceof Error ? cause.message : String(cause)}`
      throw new CliError(exitCode.unreachable, { what, mend: 'choose another with --listen' }, { cause })
    })
    stderr.write(`waybill: dispatch answers on ${server.address}\n`)
    await wait(clock, Number.POSITIVE_INFINITY, stop)
    await server.close()
  } finally {
    await riders.close()
  }
  return (stop.reason as StopReason | undefined) === 'SIGINT' ? exitCode.interrupted : exitCode.ok
}

function placeOf(text: string): { host: string; port: number } {
  const [, host = '', digits = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host !== '' && port <= 65_535) return { host, port }
  throw new CliError(exitCode.usage, {
    what: `--listen ${text} is not an address`,
    mend: 'write it like 127.0.0.1:19051',
  })
}
