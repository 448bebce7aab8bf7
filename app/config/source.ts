/** Reads source.yaml: how tables, columns and statuses become events. What it means is NORMALIZE's to say. */
import { fileURLToPath } from 'node:url'
import { parseSourceMapping, type SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { CliError, type Problem } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { readYamlFile, type YamlFile } from './yaml-file.ts'

/** The mapping that is used when none is given, written out and explained. */
export const defaultSourceFile = fileURLToPath(new URL('../defaults/source.yaml', import.meta.url))

/** Reads and checks the file; everything that is wrong comes in one `CliError`, each with line and mend. */
export function readSourceFile(path: string = defaultSourceFile): SourceMapping {
  return parseSource(readYamlFile(path))
}

/** The same for a document at hand. */
export function parseSource(file: YamlFile): SourceMapping {
  const parsed = parseSourceMapping(file.value)
  if ('mapping' in parsed) return parsed.mapping
  throw new CliError(
    exitCode.usage,
    parsed.problems.map(
      ({ path, message, mend }): Problem => ({
        what: message,
        place: file.place(path),
        mend,
      }),
    ),
  )
}
