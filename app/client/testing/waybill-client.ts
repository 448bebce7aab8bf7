/** Commands against an API that listens, for tests of what a client says. Every API goes when it has served. */
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach } from 'vitest'
import { sampleAsOf } from '../../../api/testing/sample-log.ts'
import { type TestApi, testApi, tokens } from '../../../api/testing/test-api.ts'
import { manualClock } from '../../../engine/index.ts'
import { capturedSurroundings } from '../../cli/testing/captured-surroundings.ts'
import { runCommand } from '../../main.ts'

/** An API, and where it listens. */
export interface ListeningApi extends TestApi {
  readonly url: string
}

async function listen(options?: Parameters<typeof testApi>[0]): Promise<ListeningApi> {
  const api = await testApi(options)
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...api, url: `http://127.0.0.1:${(api.app.server.address() as AddressInfo).port}` }
}

/** The API over the sample log that all tests of a file share. */
export const api: Promise<ListeningApi> = listen()
afterAll(async () => (await api).app.close())

const ownApis: ListeningApi[] = []
afterEach(() => Promise.all(ownApis.splice(0).map(({ app }) => app.close())))

/** An API of the test's own. */
export async function listeningApi(options: Parameters<typeof testApi>[0]): Promise<ListeningApi> {
  const own = await listen(options)
  ownApis.push(own)
  return own
}

/** What a run has of its own. */
export interface RunOptions {
  readonly env?: Record<string, string>
  /** Columns of the terminal that it writes to; none: it is none. */
  readonly terminal?: number
  /** Unless given, the shared API is asked. */
  readonly url?: string
}

/** Runs a command as an operator. */
export async function waybill(args: string[], { env, terminal, url }: RunOptions = {}) {
  const surroundings = capturedSurroundings({
    clock: manualClock(sampleAsOf),
    env: { WAYBILL_URL: url ?? (await api).url, WAYBILL_TOKEN: tokens.operator, ...env },
    ...(terminal !== undefined && { terminal: { columns: terminal, rows: 40 } }),
  })
  const code = await runCommand(args, surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

/** The lines of an output. */
export const linesOf = (text: string): string[] => text.trimEnd().split('\n')
