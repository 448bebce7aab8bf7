/** What a folder of schemas is compared with: another folder, a revision of git, or a registry. */
import type { SchemaTexts, SubjectCheck } from '../../schemas/index.ts'

/** What a folder is compared with. */
export interface Released {
  readonly texts: Pick<SchemaTexts, 'subjects'>
  /** For people: `git:main`. */
  readonly name: string
  /** What a registry says to a newest version, beside our own verdict. */
  readonly verdictOf?: (check: SubjectCheck) => string
}
