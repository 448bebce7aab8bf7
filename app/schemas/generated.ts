/** `waybill schemas types` and `docs`: what is made from the schemas, and whether it was made anew after a change. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { generateTypes, payloadReference, readSchemaFolder, type SchemaFile } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { openFolder, type SchemaFlags } from './schemas-run.ts'

export interface GeneratedFlags extends SchemaFlags {
  readonly check?: boolean
  readonly out?: string
}

/** What can be made, and where it usually lies. */
const made = {
  types: { usual: 'schemas/generated/types.ts', make: generateTypes },
  docs: {
    usual: 'docs/payload.md',
    make: (files: readonly SchemaFile[]) => payloadReference(files),
  },
} as const

export function runGenerated(
  kind: keyof typeof made,
  flags: GeneratedFlags,
  surroundings: Surroundings,
): ExitCode {
  const { usual, make } = made[kind]
  const text = makeFrom(openFolder(flags, surroundings).path, make)
  if (flags.check === true) {
    const file = flags.out ?? usual
    const path = resolve(surroundings.cwd, file)
    const current = existsSync(path) ? readFileSync(path, 'utf8') : undefined
    if (current === text) return exitCode.ok
    const difference =
      current === undefined
        ? 'is not there'
        : `is not what the schemas make of it, from line ${firstDifference(current, text)} on`
    const mend =
      kind === 'types' && flags.out === undefined
        ? 'run npm run schemas, which gives new versions their ids too, and commit what it writes'
        : `run waybill schemas ${kind} --out ${file} and commit it`
    surroundings.stderr.write(`waybill: ${file} ${difference} — ${mend}\n`)
    return exitCode.findings
  }
  if (flags.out === undefined) surroundings.stdout.write(text)
  else writeFileSync(resolve(surroundings.cwd, flags.out), text)
  return exitCode.ok
}

function makeFrom(folder: string, make: (files: readonly SchemaFile[]) => string): string {
  try {
    return make(readSchemaFolder(folder))
  } catch (cause) {
    // Schemas that are none, and two shapes under one name: each names its place.
    const what = cause instanceof Error ? cause.message : String(cause)
    throw new CliError(exitCode.usage, { what, mend: 'waybill schemas check says more' }, { cause })
  }
}

function firstDifference(before: string, after: string): number {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const at = now.findIndex((line, index) => line !== old[index])
  return (at < 0 ? now.length : at) + 1
}
