/** For tests: checks one hostile schema, by name, and prints what came of it and the most memory that it took. */
import { checkSubject } from '../check-subject.ts'
import { parseSchemaText } from '../parse-schema-text.ts'
import { hostileSchemas } from './hostile-schemas.ts'

/** What is printed, as JSON. */
export interface HostileOutcome {
  readonly valid: boolean
  readonly problems: number
  readonly findings: number
  readonly megabytes: number
}

const { texts } = hostileSchemas[process.argv[2] ?? ''] ?? { texts: ['', ''] }
const valid = parseSchemaText(texts[0], 'v1.avsc').ok
const { problems, findings } = checkSubject({
  subject: 's',
  level: 'FULL_TRANSITIVE',
  versions: texts.map((text, index) => ({ version: index + 1, file: `v${index + 1}.avsc`, text })),
})
const outcome: HostileOutcome = {
  valid,
  problems: problems.length,
  findings: findings.length,
  megabytes: Math.round(process.resourceUsage().maxRSS / 1024),
}
process.stdout.write(JSON.stringify(outcome))
