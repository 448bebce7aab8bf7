/** `waybill demo-oms`: the simulated order system, writing real rows into a real database. */
import type { Command } from 'commander'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { StopReason, Surroundings } from '../cli/surroundings.ts'
import { readConfig } from '../config/config.ts'
import { databaseUnreachable, databaseUrl } from '../demo/order-database.ts'
import { runDemo } from '../demo/run-demo.ts'
import { type PartnerShare, simulatedOms } from '../demo/simulated-oms.ts'
import type { SqlOrders } from '../demo/sql-orders.ts'
import type { Finish } from './options.ts'

const examples = `
The tables are those of deploy/stack/mariadb/oms.sql; change capture shows the rows to Waybill (docs/running.md).

Examples:
  waybill demo-oms --database mysql://oms:oms@127.0.0.1:13306
  waybill demo-oms --database mysql://oms:oms@127.0.0.1:13306 --rate 20 --partner acme-retail

Exit codes: 0 stopped by SIGTERM, 130 by Ctrl-C, 2 wrong usage, 3 the database cannot be reached.
`

interface DemoOmsFlags {
  readonly database: string
  readonly rate?: string
  readonly seed?: string
  readonly partner?: readonly string[]
}

/** Adds the command to the program. */
export function addDemoOms(program: Command, surroundings: Surroundings, finish: Finish): void {
  const command = program
    .command('demo-oms')
    .description('a simulated order system that writes to a MariaDB or MySQL of your own')
    .requiredOption('--database <url>', 'where, e.g. mysql://oms:oms@127.0.0.1:13306')
    .option('--rate <orders>', 'new orders per second; each makes about five events (default: 2)')
    .option('--seed <number>', 'seed of the simulation (default: 1)')
    .option('--partner <id...>', 'whose orders they are (default: acme-retail)')
    .addHelpText('after', examples)
  command.action(async () => finish(await runOms(command.optsWithGlobals<DemoOmsFlags>(), surroundings)))
}

async function runOms(flags: DemoOmsFlags, surroundings: Surroundings): Promise<ExitCode> {
  const { clock, stop, stderr } = surroundings
  const { ratePerSecond, seed } = readConfig(
    {
      ...(flags.rate !== undefined && { rate: flags.rate }),
      ...(flags.seed !== undefined && { seed: flags.seed }),
    },
    { ...surroundings, env: {} },
  )
  const { orders, ids } = await connect(flags.database)
  const [first = 'acme-retail', ...others] = flags.partner ?? []
  const partners: readonly [PartnerShare, ...PartnerShare[]] = [
    [first, 1],
    ...others.map((id): PartnerShare => [id, 1]),
  ]
  const start = { ...ids, binlog: { transaction: 1, file: 1, pos: 342 } }
  // Crashes of connectors are left to the real ones.
  const oms = simulatedOms({
    seed: seed + ids.orderId,
    clock,
    ratePerSecond,
    partners,
    start,
    crashEveryMs: 0,
  })
  stderr.write(`waybill: writing ${ratePerSecond} orders a second, from order ${ids.orderId} on\n`)
  const forgetful = { reached: () => undefined, close: () => undefined }
  try {
    await runDemo({ oms, state: forgetful, clock, ingest: orders.write, signal: stop })
  } catch (cause) {
    throw databaseUnreachable(cause)
  } finally {
    await orders.close().catch(() => undefined)
  }
  return (stop.reason as StopReason | undefined) === 'SIGINT' ? exitCode.interrupted : exitCode.ok
}

async function connect(url: string): Promise<{
  orders: SqlOrders
  ids: Awaited<ReturnType<SqlOrders['nextIds']>>
}> {
  const address = databaseUrl(url)
  // Loaded here, so that the other commands do not pay for the driver.
  const { openSqlOrders } = await import('../demo/sql-orders.ts')
  try {
    const orders = await openSqlOrders(address)
    return { orders, ids: await orders.nextIds() }
  } catch (cause) {
    throw databaseUnreachable(cause)
  }
}
