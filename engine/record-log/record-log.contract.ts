/**
 * What every `RecordLog` promises, as one suite that each adapter runs. It asks for nothing that Kafka does not keep,
 * and it puts up with everything that Kafka does: batches that begin before the position, offsets that nobody gets.
 */
import { afterEach, beforeEach, describe } from 'vitest'
import { adminContract } from './contract/admin.ts'
import { appendContract } from './contract/append.ts'
import { fetchContract } from './contract/fetch.ts'
import { groupContract } from './contract/group.ts'
import { transactionContract } from './contract/transaction.ts'
import { visibilityContract } from './contract/visibility.ts'
import { createWorkbench, type RecordLogUnderTest, type Workbench } from './contract/workbench.ts'

export type { RecordLogUnderTest } from './contract/workbench.ts'

export interface RecordLogContractOptions {
  /** Milliseconds for one test; a real broker needs more. Default: vitest's. */
  readonly timeoutMs?: number
}

/** Runs the suite. `open` is called before each test; a Kafka adapter may hand out the same log each time. */
export function recordLogContract(
  name: string,
  open: () => Promise<RecordLogUnderTest>,
  options: RecordLogContractOptions = {},
): void {
  describe(`${name} keeps the record-log contract`, { timeout: options.timeoutMs ?? 30_000 }, () => {
    let bench: Workbench | undefined
    beforeEach(async () => {
      bench = createWorkbench(await open())
    })
    afterEach(async () => {
      await bench?.dispose()
    })
    const at = (): Workbench => {
      if (!bench) throw new Error('no log was opened')
      return bench
    }
    describe('admin', () => adminContract(at))
    describe('append', () => appendContract(at))
    describe('fetch', () => fetchContract(at))
    describe('transactions', () => transactionContract(at))
    describe('visibility', () => visibilityContract(at))
    describe('group', () => groupContract(at))
  })
}
