import { openFolderRegistry } from '../schemas/index.ts'
import { registryContract } from './registry.contract.ts'

registryContract({
  name: 'the folder',
  open: async () => openFolderRegistry(),
  subjects: { 'order.events-value': 3, 'deliveries-value': 2, 'partner.config-value': 3 },
})
