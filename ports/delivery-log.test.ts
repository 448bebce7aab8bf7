import { deliveryLogContract } from './delivery-log.contract.ts'
import { createMemoryDeliveryLog } from './memory-delivery-log.ts'

deliveryLogContract({ name: 'memory', open: async (options) => createMemoryDeliveryLog(options) })
