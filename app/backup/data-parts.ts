/**
 * Everything that lies in a data directory, and what becomes of it in a backup. What is not in this table is not
 * known: a test holds it against the directory of a real run.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What lies in a data directory under a name, and whether a backup holds it. */
export type DataPart =
  /** The record log: the one thing from which nearly everything else follows. */
  | { readonly name: string; readonly in: 'log' }
  /** Copied as it is. */
  | { readonly name: string; readonly in: 'file'; readonly why: string }
  /** Left out: made again. */
  | { readonly name: string; readonly in: 'nothing'; readonly why: string }

/** Where a restore works until it is done; nothing is started on a directory that has one. */
export const restoringName: string = 'restoring'

/** Everything that may lie in one. */
export const dataParts: readonly DataPart[] = [
  { name: 'log', in: 'log' },
  { name: 'state', in: 'nothing', why: 'restored from the changelogs, which are topics of the log' },
  {
    name: 'delivery-log',
    in: 'nothing',
    why: 'written anew from the histories, verdicts and reports in the log at the next start',
  },
  {
    name: 'demo.json',
    in: 'file',
    why: 'ids and positions that the demo has used: used again, its changes would be taken for old ones',
  },
  { name: 'schema-ids.json', in: 'file', why: 'what the registry said, for a start while it is away' },
  { name: 'keys.json', in: 'nothing', why: 'keys beside what they sealed would seal nothing: kept apart' },
  {
    name: 'instance-id',
    in: 'nothing',
    why: 'the name of an instance on Kafka, which has no backup of ours',
  },
]

const fileNames = dataParts.flatMap(({ name, in: where }) => (where === 'file' ? [name] : []))

/** Whether a restore may write a file of this name: what comes from outside must not choose its place. */
export const isBackedUpFile = (name: string): boolean => fileNames.includes(name)

/** The small files of a data directory, those that are there. */
export function readSmallFiles(dataDirectory: string): { name: string; contents: Uint8Array }[] {
  return fileNames.flatMap((name) => {
    try {
      return [{ name, contents: readFileSync(join(dataDirectory, name)) }]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  })
}
