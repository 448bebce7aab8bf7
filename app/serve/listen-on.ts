/** Lets the API listen, and tells a port that cannot be had from an API that cannot be built. */
import type { AddressInfo } from 'node:net'
import type { Api } from '../../api/requests.ts'
import { cannotListen } from '../start/check-environment.ts'

/**
 * Where it listens then, e.g. `http://127.0.0.1:4929`. Rejects with a `CliError` when the port cannot be had; what goes
 * wrong while the API is put together is a bug, and comes as it is.
 */
export async function listenOn(
  api: Api,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    await api.ready()
    await api.listen({ host, port }).catch((cause) => {
      throw cannotListen(host, port, cause)
    })
  } catch (cause) {
    await api.close()
    throw cause
  }
  const address = api.server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
