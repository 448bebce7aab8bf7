/** The health check of an image without curl: `node healthy.js http://…` or `tcp://host:port`; exit 0 or 1. */
import { connect } from 'node:net'

const waitMs = 2_500

async function isHealthy(address: string): Promise<boolean> {
  const url = new URL(address)
  if (url.protocol === 'tcp:') return accepts(url)
  const response = await fetch(url, { signal: AbortSignal.timeout(waitMs) })
  return response.ok
}

function accepts({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: waitMs })
    const say = (healthy: boolean) => () => {
      socket.destroy()
      resolve(healthy)
    }
    socket.once('connect', say(true)).once('error', say(false)).once('timeout', say(false))
  })
}

const [address = ''] = process.argv.slice(2)
const healthy = await isHealthy(address).catch(() => false)
process.exit(healthy ? 0 : 1)
