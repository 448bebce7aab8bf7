/**
 * `waybill schemas plan` and `apply`: levels first, then versions in their order, each read back. A second run changes
 * nothing. Nothing is done while anything is refused.
 */
import type { RegistryAdmin } from '../../connectors/registry/registry-admin.ts'
import { schemaIdentity } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import type { Colors } from '../client/words.ts'
import { type RegistryFlags, withRegistry } from './registry-access.ts'
import { type ComparedSubject, compareWithRegistry, type SchemaStep } from './registry-plan.ts'
import { colorsFor, formatOf, openFolder, type SchemaFlags, todayOf, writeLines } from './schemas-run.ts'

export type ApplyFlags = SchemaFlags & RegistryFlags

export async function runPlan(flags: ApplyFlags, surroundings: Surroundings): Promise<ExitCode> {
  return withRegistry(flags, surroundings, async (admin) => {
    const steps = await planned(admin, flags, surroundings)
    if (steps.some(isRefused)) return exitCode.usage
    if (steps.length === 0) return exitCode.ok
    surroundings.stderr.write(`waybill: ${summary(steps)}; waybill schemas apply does it\n`)
    return exitCode.findings
  })
}

export async function runApply(flags: ApplyFlags, surroundings: Surroundings): Promise<ExitCode> {
  return withRegistry(flags, surroundings, async (admin) => {
    const steps = await planned(admin, flags, surroundings)
    if (steps.some(isRefused)) {
      surroundings.stderr.write('waybill: nothing was changed: mend what is refused first\n')
      return exitCode.usage
    }
    for (const step of steps) await take(step, admin)
    if (steps.length > 0) surroundings.stderr.write(`waybill: done, and read back: ${summary(steps)}\n`)
    return exitCode.ok
  })
}

/** Prints the plan. */
async function planned(
  admin: RegistryAdmin,
  flags: ApplyFlags,
  surroundings: Surroundings,
): Promise<readonly SchemaStep[]> {
  const compared = await compareWithRegistry(admin, openFolder(flags, surroundings), todayOf(surroundings))
  const steps = compared.flatMap((one) => one.steps)
  if (formatOf(flags, surroundings, ['json']) === 'json') {
    writeLines(
      surroundings,
      steps.map((step) => JSON.stringify({ ...step, text: undefined })),
    )
  } else writeLines(surroundings, planLines(compared, admin.where, colorsFor(surroundings)))
  return steps
}

async function take(step: SchemaStep, admin: RegistryAdmin): Promise<void> {
  const { subject } = step
  if (step.kind === 'level') {
    await admin.setLevel(subject, step.to)
    const now = await admin.level(subject)
    if (now !== step.to) throw notTaken(`the level of ${subject} was set to ${step.to} and is ${now}`)
  }
  if (step.kind === 'register') {
    const id = await admin.register(subject, step.text)
    const held = await admin.schemaById(id)
    if (!held || schemaIdentity(held.text) !== schemaIdentity(step.text)) {
      throw notTaken(
        `v${step.version} of ${subject} was registered as id ${id}, and another schema is read back`,
      )
    }
  }
}

const notTaken = (what: string): CliError =>
  new CliError(exitCode.usage, {
    what,
    mend: 'look at what stands between here and the registry, then apply again',
  })

const isRefused = ({ kind }: SchemaStep): boolean => kind === 'refused'

function summary(steps: readonly SchemaStep[]): string {
  const count = (kind: SchemaStep['kind']) => steps.filter((step) => step.kind === kind).length
  const [levels, versions] = [count('level'), count('register')]
  return `${levels} ${levels === 1 ? 'level' : 'levels'}, ${versions} ${versions === 1 ? 'version' : 'versions'}`
}

/** The plan as people read it. */
export function planLines(
  compared: readonly ComparedSubject[],
  where: string,
  colors: Colors,
): readonly string[] {
  const changed = compared.filter(({ steps, unknown }) => steps.length > 0 || unknown.length > 0)
  if (changed.length === 0)
    return [`nothing to do: ${where} holds all ${compared.length} subjects at their levels`]
  return changed.flatMap(({ subject, steps, unknown }) => [
    colors.bold(subject),
    ...steps.map((step) => `  ${stepWords(step, colors)}`),
    ...unknown.map((version) =>
      colors.dim(`  ? version ${version} of the registry is in no file; it is left alone`),
    ),
  ])
}

function stepWords(step: SchemaStep, colors: Colors): string {
  switch (step.kind) {
    case 'level': {
      const words = `~ level ${step.from} → ${step.to}`
      return step.weakens ? colors.yellow(`${words}  (asks for less than before)`) : colors.green(words)
    }
    case 'register':
      return colors.green(`+ register v${step.version}`)
    case 'refused':
      return `${colors.red(`x ${step.what}`)}\n      ${step.mend}`
  }
}
