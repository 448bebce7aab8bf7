import { it } from 'vitest'
import { checkExample } from './example-receivers.ts'

it('the receiver for Node verifies, refuses and de-duplicates', () =>
  checkExample({ folder: 'node', command: process.execPath, args: ['receiver.mjs'] }))
