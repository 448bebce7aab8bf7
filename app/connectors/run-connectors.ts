/** Plans, applies, looks at and restarts connectors, each as the body of a command. */
import type {
  ConnectClient,
  DeployedConnector,
  SettingError,
} from '../../connectors/debezium/connect-client.ts'
import { ConnectError } from '../../connectors/debezium/connect-error.ts'
import type { ConnectorFile } from '../../connectors/debezium/connector-files.ts'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { left } from '../view/cells.ts'
import { table } from '../view/table.ts'
import { awaitRunning, awaitStopped, type Health, healthOf } from './await-running.ts'
import type { ConnectorsRun } from './connectors-run.ts'
import { type ConnectorPlan, comparePlan, type PlannedConnector } from './plan.ts'
import { planLines, planSummary } from './plan-text.ts'

/** Says what `apply` would do; 100 when that is anything. Refused files end it with 2. */
export async function planConnectors(run: ConnectorsRun, files: readonly ConnectorFile[]): Promise<ExitCode> {
  const planned = comparePlan(files, await run.client.connectors())
  show(run, planned)
  const pending = planned.connectors.filter(({ action }) => action !== 'none')
  run.note(`${planSummary(planned)}${pending.length > 0 ? '; waybill connectors apply does it' : ''}`)
  await refuse(run.client, planned)
  return pending.length > 0 ? exitCode.findings : exitCode.ok
}

/** Does what the plan says, and waits until all of it runs. Nothing is done when anything is refused. */
export async function applyConnectors(
  run: ConnectorsRun,
  files: readonly ConnectorFile[],
): Promise<ExitCode> {
  const deployed = await run.client.connectors()
  const planned = comparePlan(files, deployed)
  show(run, planned)
  await refuse(run.client, planned)
  const awaited: Awaited[] = []
  for (const { name, action, config } of planned.connectors) {
    if (action !== 'none') run.note(`${name}: ${await run.client.put(name, config)}`)
    awaited.push({ name, before: action === 'none' ? untouched : healthOf(deployed.get(name)?.status) })
  }
  return settled(run, awaited)
}

/** Shows every connector of the worker, or those named; 100 when one of them does not run. */
export async function showStatus(run: ConnectorsRun, names: readonly string[]): Promise<ExitCode> {
  const deployed = await run.client.connectors()
  const chosen = choose(deployed, names)
  const rows = chosen.map(({ name, config, status: found }) => ({
    name,
    plugin: (config['connector.class'] ?? '').replace(/^.*\./, ''),
    health: healthOf(found),
    tasks: (found?.tasks ?? []).map(({ id, state, worker }) => ({ id, state, worker })),
    worker: found?.worker ?? '',
  }))
  if (run.format === 'json') for (const row of rows) run.json(row)
  else if (rows.length > 0) {
    const lines = table(
      [
        { title: 'CONNECTOR', text: ({ name }) => name },
        {
          title: 'STATE',
          text: ({ health }) => health.kind,
          paint: (text, { health }) => paintHealth(run, health, text),
        },
        { title: 'TASKS', text: ({ tasks }) => tasks.map(({ state }) => state).join(' ') },
        { title: 'PLUGIN', text: ({ plugin }) => plugin, drop: 1 },
        { title: 'WORKER', text: ({ worker }) => worker, drop: 2 },
      ],
      rows,
      undefined,
      run.colors.dim,
    )
    for (const line of lines) run.line(line)
  }
  return judge(run, rows)
}

/** How a restart is done. */
export interface RestartOptions {
  /** What failed alone. */
  readonly onlyFailed: boolean
  /** Forget the position and read the tables anew. */
  readonly fromSnapshot: boolean
}

/** Restarts connectors and their tasks and waits until they run. */
export async function restartConnectors(
  run: ConnectorsRun,
  names: readonly string[],
  { onlyFailed, fromSnapshot }: RestartOptions,
): Promise<ExitCode> {
  const chosen = choose(await run.client.connectors(), names)
  for (const connector of chosen) {
    if (fromSnapshot) await startFromSnapshot(run, connector)
    else await run.client.restart(connector.name, { onlyFailed })
    run.note(`${connector.name}: restarting`)
  }
  return settled(
    run,
    chosen.map(({ name, status }) => ({ name, before: healthOf(status), resumed: fromSnapshot })),
  )
}

/**
 * Reads the tables anew and goes on from there: what remains when the log behind the position is gone. (Debezium's own
 * `when_needed` does not notice that on MariaDB.) The rows come as snapshot rows, of which nothing is sent.
 */
async function startFromSnapshot(run: ConnectorsRun, { name, config }: DeployedConnector): Promise<void> {
  const { client, surroundings } = run
  await client.stop(name)
  if (!(await awaitStopped(client, name, { clock: surroundings.clock, signal: surroundings.stop }))) {
    const mend = `look at it with waybill connectors status ${name}, then try again`
    throw new CliError(exitCode.unreachable, { what: `${name} does not stop`, mend })
  }
  await client.forgetPosition(name)
  if (config['snapshot.mode'] !== 'initial') {
    await client.put(name, { ...config, 'snapshot.mode': 'initial' })
    run.note(
      `${name}: snapshot.mode is initial now; waybill connectors apply sets it back, which changes nothing else`,
    )
  }
  await client.resume(name)
}

function show({ format, json, line, note, colors }: ConnectorsRun, planned: ConnectorPlan): void {
  if (format === 'json') {
    for (const { config: _, ...connector } of planned.connectors) json(connector)
  } else {
    const width = Math.max(0, ...planned.connectors.map(({ name }) => name.length))
    for (const connector of planned.connectors) {
      for (const text of planLines(colors, connector, width)) line(text)
    }
  }
  if (planned.others.length > 0) note(`left alone, because no file names them: ${planned.others.join(', ')}`)
}

/** Ends the command when rules or the plugins themselves refuse a configuration. */
async function refuse(client: ConnectClient, { connectors }: ConnectorPlan): Promise<void> {
  const broken = connectors.flatMap(({ name, findings }) =>
    findings
      .filter(({ severity }) => severity === 'refused')
      .map(({ setting, what, mend }): Problem => ({ what: `${name}: ${setting}: ${what}`, mend })),
  )
  if (broken.length > 0) throw new CliError(exitCode.usage, broken)
  const found: Problem[] = []
  for (const connector of connectors.filter(({ action }) => action !== 'none')) {
    for (const { setting, message } of await errorsOf(client, connector)) {
      found.push({ what: `${connector.name}: ${setting}: ${message}`, mend: mendOf(setting) })
    }
  }
  if (found.length > 0) throw new CliError(exitCode.usage, found)
}

/** The plugin looks at it on the worker, and reaches for the database from there. */
async function errorsOf(
  client: ConnectClient,
  { name, config }: PlannedConnector,
): Promise<readonly SettingError[]> {
  try {
    return await client.validate({ name, ...config })
  } catch (error) {
    if (!(error instanceof ConnectError && error.kind === 'not_found')) throw error
    return [{ setting: 'connector.class', message: `the worker has no plugin ${config['connector.class']}` }]
  }
}

function mendOf(setting: string): string {
  if (setting === 'connector.class') return 'put the Debezium plugin into plugin.path of every worker'
  return /^database\.(hostname|port|user|password)$/.test(setting)
    ? "check what the worker's environment says, and the rights in connectors/debezium/sql"
    : 'mend the file'
}

function choose(
  deployed: ReadonlyMap<string, DeployedConnector>,
  names: readonly string[],
): readonly DeployedConnector[] {
  if (names.length === 0) return [...deployed.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const missing = names.filter((name) => !deployed.has(name))
  if (missing.length > 0) {
    throw new CliError(exitCode.usage, {
      what: `the worker has no connector ${missing.join(', ')}`,
      mend:
        deployed.size === 0
          ? 'waybill connectors apply makes some'
          : `it has ${[...deployed.keys()].join(', ')}`,
    })
  }
  return names.flatMap((name) => deployed.get(name) ?? [])
}

/** A connector, and how it was before something was done to it. */
interface Awaited {
  readonly name: string
  readonly before: Health
  readonly resumed?: boolean
}

/** Of one that nothing was done to: what it says now counts. */
const untouched: Health = { kind: 'running' }

/** Waits for all of them. */
async function settled(run: ConnectorsRun, awaited: readonly Awaited[]): Promise<ExitCode> {
  const { clock, stop: signal } = run.surroundings
  const rows = await Promise.all(
    awaited.map(async ({ name, before, resumed = false }) => ({
      name,
      health: await awaitRunning(run.client, name, { clock, signal, before, resumed }),
    })),
  )
  for (const { name, health } of rows) if (health.kind === 'running') run.note(`${name}: running`)
  return judge(run, rows)
}

/** Says of each that does not run what is the matter; 100 if there is one. */
function judge(run: ConnectorsRun, rows: readonly { name: string; health: Health }[]): ExitCode {
  const width = Math.max(0, ...rows.map(({ name }) => name.length))
  const ill = rows.filter(({ health }) => health.kind !== 'running')
  for (const { name, health } of ill) run.note(`${left(name, width)}  ${healthText(health)}`)
  return ill.length > 0 ? exitCode.findings : exitCode.ok
}

function healthText(health: Health): string {
  switch (health.kind) {
    case 'running':
      return 'running'
    case 'failed':
      return `failed: ${health.reason} — ${health.mend}`
    case 'stopped':
      return 'stopped: somebody paused or stopped it — resume it with PUT /connectors/NAME/resume of the worker'
    case 'starting':
      return 'not running yet — look again with waybill connectors status'
  }
}

function paintHealth({ colors }: ConnectorsRun, { kind }: Health, text: string): string {
  if (kind === 'running') return colors.green(text)
  return kind === 'failed' ? colors.red(text) : colors.yellow(text)
}
