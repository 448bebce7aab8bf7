/** For tests: checks all hostile schemas and prints the most memory that it took, in MB. */
import { checkSubject } from '../check-subject.ts'
import { hostileSchemas } from './hostile-schemas.ts'

for (const { texts } of Object.values(hostileSchemas)) {
  checkSubject({
    subject: 's',
    level: 'FULL_TRANSITIVE',
    versions: texts.map((text, index) => ({ version: index + 1, file: `v${index + 1}.avsc`, text })),
  })
}
process.stdout.write(String(Math.round(process.resourceUsage().maxRSS / 1024)))
