/** A process that dies at each step of an attempt, on the embedded log; `crash.contract.ts` says what must hold. */
import { describe } from 'vitest'
import { crashContract } from './crash.contract.ts'

describe('a process that dies at each step of an attempt', () => {
  crashContract(async () => ({ release: async () => {} }))
})
