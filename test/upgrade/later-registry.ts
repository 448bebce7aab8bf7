/** The schemas of a release that is to come, as far as ids go: what it writes, this version cannot read. */
import { readFileSync } from 'node:fs'
import { openFolderRegistry, type Registry, shippedSchemaFolder } from '../../schemas/index.ts'

const ours = openFolderRegistry()
/** The first id that this version has not given. */
export const { next } = JSON.parse(readFileSync(`${shippedSchemaFolder}/ids.json`, 'utf8')) as {
  next: number
}

/** The registry of a later release: the newest versions of these subjects have ids that this one has not given. */
export function laterRegistry(...subjects: readonly string[]): Registry {
  const idOf = new Map(subjects.map((subject, nth) => [subject, next + nth]))
  const latest = (subject: string) => {
    const newest = ours.latest(subject)
    return { ...newest, id: idOf.get(subject) ?? newest.id }
  }
  return {
    latest,
    idOf(subject, version) {
      const newest = latest(subject)
      return version === newest.version ? newest.id : ours.idOf(subject, version)
    },
    schemaOf(id) {
      const [subject] = [...idOf].find(([, given]) => given === id) ?? []
      return subject === undefined ? ours.schemaOf(id) : latest(subject)
    },
  }
}
