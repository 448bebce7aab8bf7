/**
 * `waybill topology`: `show` draws the pipeline as the program has it, `plan` says what this version would change in
 * the log that is configured, and `apply` does it.
 */
import type { Command } from 'commander'
import { makeCodecs, makeSealer, openFolderRegistry } from '../../schemas/index.ts'
import { pipeline } from '../../topology/pipeline.ts'
import { makeTopics } from '../../topology/topics.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { type Flags, readConfig } from '../config/config.ts'
import { readSourceFile } from '../config/source.ts'
import { retentionRows, retentionText } from '../retention/retention-table.ts'
import { environmentalFailure } from '../start/environmental-failure.ts'
import { applyPlan, obstacles } from '../topology-plan/apply.ts'
import { openPlanned } from '../topology-plan/open-planned.ts'
import { changesSomething, type Step } from '../topology-plan/plan.ts'
import { planText } from '../topology-plan/plan-text.ts'
import { addDataOptions, addFormatOptions, type Finish } from './options.ts'

const showExamples = `
Examples:
  waybill topology show                      sub-topologies, what they read, write and remember
  waybill topology show --mermaid > p.mmd    a flowchart for a README or https://mermaid.live
  waybill topology show --retention          how long every topic, store and log is kept
`

const planExamples = `
Looks at the topics, their partition counts and settings, the changelogs and the consumer groups of the log that is
configured (Kafka, or the embedded one in the data directory), compares them with this version, and changes nothing.

  +  a topic is made                          !  state or records would be lost
  ~  settings of a topic are changed          x  it cannot be done; the mend stands below
  -  nothing of this version uses it any more

Exit codes: 0 nothing to do, 100 changes are pending, 2 refused or wrong configuration, 3 the log cannot be reached.

Examples:
  waybill topology plan --config waybill.yaml
  waybill topology plan --json | jq '.[].kind'
`

const applyExamples = `
Does what plan says, all of it or nothing: as long as one step is refused, or would lose something that is not named
with --accept, no step is taken. What is unused is never deleted.

Examples:
  waybill topology apply --config waybill.yaml
  waybill topology apply --accept waybill.watch.windows-changelog
`

/** Adds the command to the program. */
export function addTopology(program: Command, surroundings: Surroundings, finish: Finish): void {
  const topology = program
    .command('topology')
    .description('look at the graph of the pipeline, and fit what is deployed to it')
  topology
    .command('show')
    .description('print the graph')
    .option('--mermaid', 'as a Mermaid flowchart')
    .option('--retention', 'instead of the graph: how long everything is kept')
    .addHelpText('after', showExamples)
    .action(({ mermaid, retention }: { mermaid?: boolean; retention?: boolean }) => {
      if (retention) {
        const topics = makeTopics(makeCodecs(openFolderRegistry()))
        surroundings.stdout.write(`${retentionText(retentionRows(topics))}\n`)
        finish(exitCode.ok)
        return
      }
      const graph = describedPipeline(surroundings)
      surroundings.stdout.write(`${(mermaid ? graph.mermaid() : graph.describe()).trimEnd()}\n`)
      finish(exitCode.ok)
    })

  const plan = topology.command('plan').description('say what this version would change, and change nothing')
  addCommonOptions(plan)
  plan
    .addHelpText('after', planExamples)
    .action(async () => finish(await runPlan(plan.optsWithGlobals<PlanFlags>(), surroundings)))

  const apply = topology.command('apply').description('make the log fit this version')
  addCommonOptions(apply)
  apply
    .option('--accept <name...>', 'what may be lost, by its name in the plan')
    .addHelpText('after', applyExamples)
    .action(async () => finish(await runApply(apply.optsWithGlobals<PlanFlags>(), surroundings)))
}

type PlanFlags = Flags & { readonly accept?: readonly string[] }

function addCommonOptions(command: Command): void {
  addDataOptions(command)
  command.option('--source <file>', 'source.yaml: how tables and columns become events')
  addFormatOptions(command)
}

async function runPlan(flags: PlanFlags, surroundings: Surroundings): Promise<ExitCode> {
  return withPlan(flags, surroundings, async (steps) => {
    if (obstacles(steps, steps.flatMap(nameOfStep)).length > 0) return exitCode.usage
    return steps.some(changesSomething) ? exitCode.findings : exitCode.ok
  })
}

async function runApply(flags: PlanFlags, surroundings: Surroundings): Promise<ExitCode> {
  return withPlan(flags, surroundings, async (steps, admin) => {
    const applied = await applyPlan(steps, { admin, accepted: flags.accept ?? [] })
    if (applied.kind === 'refused') {
      surroundings.stderr.write(
        'waybill: nothing was changed: the plan has steps that must be mended or accepted first\n',
      )
      return exitCode.usage
    }
    const { created, configured, unchanged } = applied
    const left =
      unchanged === 0 ? '' : `; this log cannot change the settings of ${unchanged}, which stay as they are`
    surroundings.stderr.write(`waybill: made ${created} topics, changed ${configured}${left}\n`)
    return exitCode.ok
  })
}

const nameOfStep = (step: Step): string[] => ('name' in step ? [step.name] : [])

/** Prints the plan, then does something with it. */
async function withPlan(
  flags: PlanFlags,
  surroundings: Surroundings,
  use: (steps: readonly Step[], admin: Parameters<typeof applyPlan>[1]['admin']) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = readConfig({ ...flags, demo: false }, surroundings)
  try {
    const planned = await openPlanned({ config, mapping: readSourceFile(config.sourceFile), ...surroundings })
    try {
      const { steps } = planned
      surroundings.stdout.write(
        config.format === 'json' ? `${JSON.stringify(steps.map(plain))}\n` : planText(steps),
      )
      return await use(steps, planned.log.admin)
    } finally {
      await planned.close()
    }
  } catch (error) {
    throw environmentalFailure(error)
  }
}

/** A step for programs: names instead of whole topics. */
const plain = (step: Step): object =>
  'topic' in step ? { ...step, topic: undefined, name: step.topic.name, config: step.topic.config } : step

/** The graph does not depend on keys; it is never run here. */
function describedPipeline({ random }: Surroundings) {
  const codecs = makeCodecs(openFolderRegistry())
  const sealer = makeSealer({ keys: [{ id: 'drawing', key: random.bytes(32) }], active: 'drawing', random })
  return pipeline({ topics: makeTopics(codecs), codecs, sealer, mapping: readSourceFile() })
}
