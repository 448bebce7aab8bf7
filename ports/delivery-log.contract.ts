/** What every delivery log does, whatever it is made of: run by each adapter's test. */
import { afterAll, beforeAll, describe } from 'vitest'
import { filtersContract } from './testing/log-contract/filters.ts'
import { lookupsContract } from './testing/log-contract/lookups.ts'
import { modelContract } from './testing/log-contract/model.ts'
import { pagesContract } from './testing/log-contract/pages.ts'
import { upkeepContract } from './testing/log-contract/upkeep.ts'
import type { OpenLog } from './testing/log-contract/workbench.ts'
import { writesContract } from './testing/log-contract/writes.ts'

/** One adapter. */
export interface DeliveryLogContractOptions {
  readonly name: string
  /** Prepares what `open` needs, once. */
  readonly start?: () => Promise<void>
  readonly stop?: () => Promise<void>
  readonly open: OpenLog
  /** Why this adapter cannot be tested here. */
  readonly skip?: string
  /** Random stories to try. */
  readonly stories?: number
}

/** Declares the suite for one adapter. */
export function deliveryLogContract(options: DeliveryLogContractOptions): void {
  const { name, start, stop, open, skip, stories = 15 } = options
  describe.skipIf(skip !== undefined)(`${name} as a delivery log${skip ? ` (skipped: ${skip})` : ''}`, () => {
    // What a service needs to be there may have to be made first.
    beforeAll(async () => start?.(), 120_000)
    afterAll(async () => stop?.())

    lookupsContract(open)
    filtersContract(open)
    writesContract(open)
    pagesContract(open)
    upkeepContract(open)
    modelContract(open, stories)
  })
}
