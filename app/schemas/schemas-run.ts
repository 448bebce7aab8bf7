/** What the commands about schemas have in common: the folder, the day, output. */
import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import pc from 'picocolors'
import { type LevelPolicy, parseLevelPolicy, strictPolicy } from '../../schemas/compatibility/index.ts'
import {
  type LintSettings,
  lintFile,
  noLintSettings,
  parseLintSettings,
  type Remark,
  readSchemaTexts,
  type SchemaTexts,
  shippedSchemaFolder,
} from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { suggestion } from '../cli/nearest.ts'
import { colorWanted, type Surroundings } from '../cli/surroundings.ts'
import type { Colors } from '../client/words.ts'

/** Where the schemas of a repository lie. */
export const usualFolder = 'schemas/avro'

/** The flags of every command here. */
export interface SchemaFlags {
  readonly folder?: string
  readonly format?: string
  readonly json?: boolean
}

/** A folder of schemas, with what stands beside them. */
export interface OpenedFolder {
  /** Absolute. */
  readonly path: string
  readonly texts: SchemaTexts
  readonly policy: LevelPolicy
  readonly settings: LintSettings
  /** What is wrong with the folder itself. */
  readonly remarks: readonly Remark[]
  /** What people are shown for a path in it. */
  readonly shown: (path: string) => string
}

/** Opens the folder that is meant: the one that was named, schemas/avro here, or the one that ships. */
export function openFolder(
  { folder }: Pick<SchemaFlags, 'folder'>,
  { cwd }: Pick<Surroundings, 'cwd'>,
): OpenedFolder {
  const usual = resolve(cwd, usualFolder)
  const path = folder !== undefined ? resolve(cwd, folder) : existsSync(usual) ? usual : shippedSchemaFolder
  return readFolder(path, cwd)
}

/** The same for a folder that is known. */
export function readFolder(path: string, cwd: string): OpenedFolder {
  const near = relative(cwd, path)
  const base = near.startsWith('..') ? path.replace(/\/$/, '') : near === '' ? '.' : near
  const shown = (name: string): string => `${base}/${name}`
  const texts = readSchemaTexts(path, shown)
  if (!texts || texts.subjects.size === 0) {
    throw new CliError(exitCode.usage, {
      what: texts ? 'the folder holds no schemas' : 'there is no such folder of schemas',
      place: { file: base },
      mend: 'name one with --folder; schemas lie in it as <subject>/v1.avsc, v2.avsc, …',
    })
  }
  const levels = texts.beside('levels.json')
  const { policy, problems } =
    levels === undefined
      ? { policy: strictPolicy, problems: [] }
      : parseLevelPolicy(levels, shown('levels.json'))
  const lint = texts.beside(lintFile)
  const { settings, remarks } =
    lint === undefined ? { settings: noLintSettings, remarks: [] } : parseLintSettings(lint, shown(lintFile))
  return {
    path,
    texts,
    policy,
    settings,
    remarks: [...texts.strangers.map(stranger), ...problems, ...remarks],
    shown,
  }
}

/** A file that is named like no version would never be looked at again. */
const stranger = (file: string): Remark => ({
  rule: 'VERSION_MISSING',
  severity: 'error',
  message: `${file} is no version of a subject`,
  mend: 'name it v1.avsc, v2.avsc, …, in the folder of its subject',
  place: { file, line: 1, column: 1, pointer: '' },
})

/** Today in UTC, as 2026-11-25. */
export const todayOf = ({ clock }: Pick<Surroundings, 'clock'>): string =>
  new Date(clock.now()).toISOString().slice(0, 10)

/** One of the formats that a command knows. */
export function formatOf<F extends string>(
  { format, json }: SchemaFlags,
  { env }: Pick<Surroundings, 'env'>,
  known: readonly F[],
): F | 'text' {
  const named = json ? 'json' : (format ?? (env.WAYBILL_FORMAT === 'json' ? 'json' : 'text'))
  const found = known.find((one) => one === named)
  if (found !== undefined || named === 'text') return found ?? 'text'
  throw new CliError(exitCode.usage, {
    what: `there is no format "${named}" here`,
    mend: suggestion(named, ['text', ...known]),
  })
}

/** Colours for what goes to stdout. */
export const colorsFor = ({ env, stdout }: Surroundings): Colors => pc.createColors(colorWanted(env, stdout))

/** Writes lines to stdout. */
export function writeLines({ stdout }: Surroundings, lines: readonly string[]): void {
  stdout.write(lines.map((line) => `${line}\n`).join(''))
}

/** A subject by its name, or by the topic it belongs to. */
export function subjectNamed(texts: SchemaTexts, name: string): string {
  const found = [name, `${name}-value`].find((one) => texts.subjects.has(one))
  if (found !== undefined) return found
  throw new CliError(exitCode.usage, {
    what: `there is no subject "${name}"`,
    mend: suggestion(name, [...texts.subjects.keys()]),
  })
}
