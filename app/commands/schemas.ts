/**
 * `waybill schemas …`: what a change of a schema breaks, before it is merged; how schemas are written; and what is
 * in the registry. `check`, `lint`, `diff` and `explain` need nothing but files.
 */
import type { Command } from 'commander'
import type { Surroundings } from '../cli/surroundings.ts'
import type { ApplyFlags } from '../schemas/apply.ts'
import { type CheckFlags, runCheck, runLint } from '../schemas/check.ts'
import type { DecodeFlags } from '../schemas/decode.ts'
import { type DiffFlags, runDiff } from '../schemas/diff.ts'
import { runExplain } from '../schemas/explain.ts'
import type { GeneratedFlags } from '../schemas/generated.ts'
import type { ProjectFlags } from '../schemas/project.ts'
import type { SchemaFlags } from '../schemas/schemas-run.ts'
import type { StatusFlags } from '../schemas/status.ts'
import type { Finish } from './options.ts'

const checkExamples = `
Compares every version of every subject with those that its level (levels.json) promises to get along with. With
--against it judges what is new or changed: against a folder, a revision of git (git:main), or the registry.

Exit codes: 0 clean (warnings are shown; --strict counts them), 100 findings, 2 wrong usage or a text that is no schema,
3 the registry cannot be reached.

Examples:
  waybill schemas check                          the folder by itself
  waybill schemas check --against git:main       what this branch changes
  waybill schemas check --against registry       what a registry holds, and what it would say
  waybill schemas check --format github          annotations in a pull request
`

const lintExamples = `
Looks at the newest version of every subject: docs, nullability, enum defaults, times, names, and whether what is about
people has a pii tag. What is accepted stands in lint.json beside the subjects, each with rule, reason and last day.

Examples:
  waybill schemas lint
  waybill schemas lint --all --format sarif > lint.sarif
`

const diffExamples = `
Examples:
  waybill schemas diff order.events                      the last step
  waybill schemas diff order.events --from v1 --to v3
  waybill schemas diff --against git:main                everything that this branch changes
`

const explainExamples = `
Examples:
  waybill schemas explain                        all rules
  waybill schemas explain FIELD_NO_DEFAULT
`

const planExamples = `
Levels come first, then versions in their order; each is read back. What the check refuses is never brought into a
registry, and what no file holds is left alone. A second run changes nothing.

Exit codes: 0 nothing to do, 100 changes are pending (plan), 2 refused or wrong usage, 3 the registry cannot be reached.

Examples:
  waybill schemas plan --registry http://127.0.0.1:8081
  waybill schemas apply --config waybill.yaml
`

const statusExamples = `
Exit codes: 0 all agree, 100 something differs or stands in the way, 2 wrong usage, 3 the registry cannot be reached.

Examples:
  waybill schemas status                                     the folder and the payload versions
  waybill schemas status --registry http://127.0.0.1:8081    and what differs there
  waybill schemas status --partners partners.yaml            and who pins which payload version
  waybill schemas status --partners partners.yaml --retire v1    whether v1 can be removed, and who stands in the way
`

const decodeExamples = `
Fields with a pii tag are masked. Without --registry or --config, ids are those of ids.json.

Examples:
  waybill schemas decode 000000000a0664656c69766572
  waybill schemas decode record.bin --registry http://127.0.0.1:8081
`

const projectExamples = `
Exit codes: 0 done, 100 the version does not know the event, 2 the file holds no body.

Examples:
  waybill schemas project --to v1 event.json
  curl -s …/v1/events/ID | jq .payloads[0].payload | waybill schemas project --to v1 -
`

/** Adds the commands to the program. */
export function addSchemas(program: Command, surroundings: Surroundings, finish: Finish): void {
  const schemas = program
    .command('schemas')
    .description('what a change of a schema breaks, who breaks, since when, and the mend')

  const check = schemas.command('check').description('say what breaks, and change nothing')
  addReportOptions(check)
  check
    .option('--against <what>', 'a folder, git:REF, or registry')
    .option('--level <level>', "instead of each subject's own level, e.g. FULL_TRANSITIVE")
  addRegistryOptions(check)
  check
    .addHelpText('after', checkExamples)
    .action(async () => finish(await runCheck(check.optsWithGlobals<CheckFlags>(), surroundings)))

  const lint = schemas
    .command('lint')
    .description('say how the schemas are written, and what lacks a pii tag')
  addReportOptions(lint)
  lint
    .option('--all', 'all versions, not only the newest')
    .addHelpText('after', lintExamples)
    .action(() => finish(runLint(lint.optsWithGlobals<SchemaFlags>(), surroundings)))

  const diff = schemas
    .command('diff')
    .description('say what differs between versions')
    .argument('[subject]', 'a subject, or its topic (default: all)')
  addFolderOptions(diff)
  diff
    .option('--from <version>', 'the older version (default: the one before)')
    .option('--to <version>', 'the newer version (default: the newest)')
    .option('--against <what>', 'a folder or git:REF instead')
    .addHelpText('after', diffExamples)
    .action((subject: string | undefined) =>
      finish(runDiff(subject, diff.optsWithGlobals<DiffFlags>(), surroundings)),
    )

  const plan = schemas.command('plan').description('say what a registry lacks, and change nothing')
  addFolderOptions(plan)
  addRegistryOptions(plan)
  plan.addHelpText('after', planExamples).action(async () => {
    const { runPlan } = await import('../schemas/apply.ts')
    finish(await runPlan(plan.optsWithGlobals<ApplyFlags>(), surroundings))
  })

  const apply = schemas.command('apply').description('bring levels and versions into a registry')
  addFolderOptions(apply)
  addRegistryOptions(apply)
  apply.addHelpText('after', planExamples).action(async () => {
    const { runApply } = await import('../schemas/apply.ts')
    finish(await runApply(apply.optsWithGlobals<ApplyFlags>(), surroundings))
  })

  const status = schemas
    .command('status')
    .description('say how folder, registry and service differ, and who pins which payload version')
  addFolderOptions(status)
  addRegistryOptions(status)
  status
    .option('--partners <file>', 'partners.yaml: who pins what')
    .option('--data-dir <folder>', 'of the service to compare with (default: .waybill)')
    .option('--retire <version>', 'whether this payload version can be removed')
    .addHelpText('after', statusExamples)
    .action(async () => {
      const { runStatus } = await import('../schemas/status.ts')
      finish(await runStatus(status.optsWithGlobals<StatusFlags>(), surroundings))
    })

  addMadeFromSchemas(schemas, surroundings, finish)

  const explain = schemas
    .command('explain')
    .description('explain a rule: why, an example, the mend')
    .argument('[rule]', 'its id (default: list all)')
    .option('--format <format>', 'text or json (default: text)')
    .option('--json', 'the same as --format json')
  explain
    .addHelpText('after', explainExamples)
    .action((rule: string | undefined) =>
      finish(runExplain(rule, explain.optsWithGlobals<SchemaFlags>(), surroundings)),
    )
}

/** What is made from schemas, and what they make of bytes and bodies. */
function addMadeFromSchemas(schemas: Command, surroundings: Surroundings, finish: Finish): void {
  const made = {
    types: 'print the TypeScript of the schemas',
    docs: 'print the page for partners: every field of the payload, and what changed',
  } as const
  for (const kind of ['types', 'docs'] as const) {
    const command = schemas
      .command(kind)
      .description(made[kind])
      .option('--folder <folder>', 'the schemas (default: schemas/avro here, else those that ship)')
      .option('--out <file>', 'write it there')
      .option('--check', 'only say whether that file is current; exit code 100 when it is not')
    command.action(async () => {
      const { runGenerated } = await import('../schemas/generated.ts')
      finish(runGenerated(kind, command.optsWithGlobals<GeneratedFlags>(), surroundings))
    })
  }

  const project = schemas
    .command('project')
    .description('show a body as an older payload version has it')
    .argument('<file>', 'the body of a webhook, or - for the standard input')
    .requiredOption('--to <version>', 'the payload version')
    .option('--format <format>', 'text or json (default: text)')
    .option('--json', 'the same as --format json')
  project.addHelpText('after', projectExamples).action(async (file: string) => {
    const { runProject } = await import('../schemas/project.ts')
    finish(await runProject(file, project.optsWithGlobals<ProjectFlags>(), surroundings))
  })

  const decode = schemas
    .command('decode')
    .description('show what is in the bytes of a record, secrets masked')
    .argument('<hex|file>', 'the value of a record as hex digits, or a file with it')
  addFolderOptions(decode)
  addRegistryOptions(decode)
  decode.addHelpText('after', decodeExamples).action(async (named: string) => {
    const { runDecode } = await import('../schemas/decode.ts')
    finish(await runDecode(named, decode.optsWithGlobals<DecodeFlags>(), surroundings))
  })
}

function addFolderOptions(command: Command): void {
  command
    .option('--folder <folder>', 'the schemas (default: schemas/avro here, else those that ship)')
    .option('--format <format>', 'text or json (default: text)')
    .option('--json', 'the same as --format json')
}

function addReportOptions(command: Command): void {
  command
    .option('--folder <folder>', 'the schemas (default: schemas/avro here, else those that ship)')
    .option('--format <format>', 'text, json, github, junit or sarif (default: text)')
    .option('--json', 'the same as --format json')
    .option('--strict', 'warnings count as findings')
}

function addRegistryOptions(command: Command): void {
  command
    .option('--registry <url>', 'the registry (default: that of the configuration)')
    .option('--config <file>', 'the configuration file with the registry and its credentials')
}
