/** The registry adapter on a real registry, which is no Confluent's and says many things differently. */
import { adapterContract } from '../../connectors/registry/registry.contract.ts'
import { ownService } from '../stack/services.ts'

adapterContract({
  name: 'a real registry',
  start: async () => {
    const registry = await ownService('registry')
    return { url: registry.url, stop: registry.release }
  },
})
