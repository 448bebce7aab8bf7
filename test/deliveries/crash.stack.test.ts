/** A process that dies at each step of an attempt, on Kafka; `crash.contract.ts` says what must hold. */
import { describe } from 'vitest'
import { ownService } from '../stack/services.ts'
import { crashContract } from './crash.contract.ts'

describe('a process that dies at each step of an attempt on Kafka', () => {
  crashContract(() => ownService('kafka'))
})
