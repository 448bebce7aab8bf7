/** What was missed, as people see it and as they ask the database to show it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GapBody } from '../../api/contract/gaps.ts'
import { root } from '../../deploy/stack/assets.ts'
import type { WholeStack } from './whole-stack.ts'

/** `waybill gaps …` of an instance that answers at `url`. */
export async function listedGaps({ folder }: WholeStack, url: string, ...args: string[]): Promise<GapBody[]> {
  const { code, out, err } = await folder.waybill('gaps', '--json', '--url', url, ...args)
  if (code !== 0) throw new Error(err)
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as GapBody)
}

/** Each in a line. */
export const told = (found: readonly GapBody[]): string[] =>
  found.map(
    ({ order_id, from_status, to_status, event, state }) =>
      `${order_id} ${from_status} → ${to_status}: ${event} ${state}`,
  )

/** The statement by which docs/capture.md asks for a snapshot of chosen rows, to the letter. */
export function snapshotOfChosen(): string {
  const page = readFileSync(join(root, 'docs/capture.md'), 'utf8')
  const [, sql] = /```sql\n([^`]*debezium_signal[^`]*)```/.exec(page) ?? []
  if (sql === undefined) throw new Error('docs/capture.md has no statement for the signal table')
  return sql
}
