/** `waybill schemas project`: a body as an endpoint that pins an older version would have got it. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { isPayloadVersion, payloadVersions, projectBody } from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { suggestion } from '../cli/nearest.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { formatOf, type SchemaFlags, writeLines } from './schemas-run.ts'

export interface ProjectFlags extends SchemaFlags {
  readonly to?: string
}

export async function runProject(
  file: string,
  flags: ProjectFlags,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const to = flags.to ?? ''
  if (!isPayloadVersion(to)) {
    const what = to === '' ? 'the version is not named' : `there is no payload version "${to}"`
    throw new CliError(exitCode.usage, { what, mend: `--to takes one: ${suggestion(to, payloadVersions)}` })
  }
  const body = parse(await readText(file, surroundings), file)
  const projected = projectBody(body, to)
  if (projected.kind === 'refused') {
    const mend = 'give the body of one webhook as it was sent'
    throw new CliError(
      exitCode.usage,
      projected.problems.map((what) => ({ what, place: { file }, mend })),
    )
  }
  const indent = formatOf(flags, surroundings, ['json']) === 'json' ? undefined : 2
  writeLines(surroundings, [JSON.stringify(projected.body, undefined, indent)])
  if (projected.known) return exitCode.ok
  surroundings.stderr.write(
    `waybill: ${to} does not know this event: it is never sent to an endpoint that pins ${to}\n`,
  )
  return exitCode.findings
}

async function readText(file: string, { cwd, stdin }: Surroundings): Promise<string> {
  if (file === '-') return text(stdin)
  try {
    return readFileSync(resolve(cwd, file), 'utf8')
  } catch (cause) {
    const mend = 'name a file with a body, or - for the standard input'
    throw new CliError(exitCode.usage, { what: 'the file cannot be read', place: { file }, mend }, { cause })
  }
}

function parse(json: string, file: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    const mend = 'give the body of one webhook as it was sent'
    throw new CliError(exitCode.usage, { what: 'this is not JSON', place: { file }, mend }, { cause })
  }
}
