/** The roles of an instance: which steps of the pipeline it runs, so that each can be scaled alone. */

import type { Problem } from '../cli/cli-error.ts'
import { nearest } from '../cli/nearest.ts'
import { wrong } from './setting-values.ts'
import type { GivenSetting } from './settings-file.ts'

/** The steps of the pipeline by the names that the topology gives them. */
export const pipelineRoles = ['normalize', 'enrich', 'route', 'deliver', 'watch'] as const
/** `log` writes the delivery log; `api` answers from it, and takes commands and changes over HTTP. */
export const roles = [...pipelineRoles, 'log', 'api'] as const
export type Role = (typeof roles)[number]

/** All of them, unless some are named; each once. */
export function readRoles(
  names: readonly string[] | undefined,
  given: GivenSetting | undefined,
  problems: Problem[],
) {
  if (names === undefined || given === undefined) return roles
  const unknown = names.filter((name) => !roles.some((role) => role === name))
  if (names.length > 0 && unknown.length === 0) return roles.filter((role) => names.includes(role))
  const near = unknown[0] === undefined ? undefined : nearest(unknown[0], roles)
  const mend =
    near === undefined
      ? `choose from ${roles.join(', ')}`
      : `did you mean ${near}? There are ${roles.join(', ')}`
  problems.push(
    wrong(given, unknown.length > 0 ? `names no role with "${unknown[0]}"` : 'names no role', mend),
  )
  return roles
}
