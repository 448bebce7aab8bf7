/**
 * Owns the services of one run of the stack tests, in the process that outlives the test files: starts each when it
 * is first asked for, over HTTP on loopback, and stops all at the end. Where a Docker engine answers, shared ones are
 * containers; own ones are processes, since they are there to be killed and frozen.
 */
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { assets, packagesDirectory } from '../../deploy/stack/assets.ts'
import { dockerAnswers } from '../../deploy/stack/docker.ts'
import { freePorts } from '../../deploy/stack/ports.ts'
import { type ServiceName, type ServiceVariant, serviceNames } from '../../deploy/stack/service.ts'
import { createStack, type Stack } from '../../deploy/stack/stack.ts'
import { openContainers } from './containers.ts'

/** What a test file may ask of the server; `set` names a private set of services, the shared one without it. */
export interface ControlRequest {
  readonly action: 'up' | 'prepare' | 'stop' | 'kill' | 'start' | 'freeze' | 'thaw' | 'own' | 'release'
  readonly name: ServiceName
  readonly set?: string
  readonly node?: number
  readonly variant?: ServiceVariant
}

export type ControlAnswer =
  | { readonly facts: Readonly<Record<string, string>>; readonly set?: string }
  | { readonly error: string }

export interface ControlServer {
  readonly url: string
  stop(): Promise<void>
}

export async function startControlServer(report: (text: string) => void): Promise<ControlServer> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-stack-'))
  // PostgreSQL runs as a user of its own, who must get through.
  chmodSync(directory, 0o755)
  const letGo = stopWhenWeDie(directory)
  const sets = new Map<string, Stack>()
  const containers = dockerAnswers()
    ? openContainers(freePorts(), basename(directory).toLowerCase())
    : undefined
  let ownSets = 0

  const setOf = (name: string, variant: ServiceVariant = {}): Stack => {
    const known = sets.get(name)
    if (known) return known
    const options = { packagesDirectory, assets, ports: freePorts(), variant, report }
    const made = createStack({ ...options, directory: join(directory, name) })
    sets.set(name, made)
    return made
  }
  const downAll = (stack: Stack) => Promise.all(serviceNames.map((name) => stack.down(name)))

  async function answer(request: ControlRequest): Promise<ControlAnswer> {
    const { action, name, node = 0 } = request
    if (action === 'up' && request.set === undefined && containers?.has(name))
      return { facts: await containers.up(name) }
    const set = action === 'own' ? `own-${++ownSets}` : (request.set ?? 'shared')
    const stack = setOf(set, request.variant)
    if (action === 'prepare') return { facts: await stack.prepare(name) }
    if (action === 'release') {
      await downAll(stack)
      sets.delete(set)
      return { facts: {} }
    }
    if (action === 'stop') await stack.stopNode(name, node)
    if (action === 'kill') await stack.stopNode(name, node, 'SIGKILL')
    if (action === 'start') await stack.startNode(name, node)
    if (action === 'freeze') stack.signalNode(name, node, 'SIGSTOP')
    if (action === 'thaw') stack.signalNode(name, node, 'SIGCONT')
    const facts = action === 'up' || action === 'own' ? await stack.up(name) : {}
    return { facts, set }
  }

  const server = createServer(async (request, response) => {
    const answered = await bodyOf(request)
      .then((text) => answer(JSON.parse(text) as ControlRequest))
      .catch((error: unknown): ControlAnswer => ({ error: String(error) }))
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answered))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await new Promise<unknown>((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await Promise.all([...[...sets.values()].map(downAll), containers?.down()])
      letGo()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

/** A run that is killed cannot stop its services: a shell waits for the end of our pipe and does it. */
function stopWhenWeDie(directory: string): () => void {
  const script = `cat >/dev/null; find "$0" -name pid | while read -r file; do
    read -r pid started <"$file" && [ "$(cut -d ' ' -f 22 /proc/$pid/stat)" = "$started" ] && kill -9 "$pid"
  done 2>/dev/null; rm -rf "$0"`
  const watcher = spawn('sh', ['-c', script, directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.unref()
  return () => void watcher.kill()
}
