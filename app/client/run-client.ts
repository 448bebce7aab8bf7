/** What commands that talk to a running Waybill have in common: options, a client for as long as they run, output. */
import type { Command } from 'commander'
import pc from 'picocolors'
import { colorWanted, type Surroundings } from '../cli/surroundings.ts'
import { addFormatOptions } from '../commands/options.ts'
import { type ClientConfig, type ClientFlags, readClientConfig } from '../config/client-config.ts'
import { defaultApiPort } from '../config/setting-defaults.ts'
import { type ApiClient, createApiClient } from './api-client.ts'

/** The flags of every command that talks to a running Waybill. */
export function addClientOptions(command: Command): void {
  command.option('--url <url>', `where Waybill answers (default: http://127.0.0.1:${defaultApiPort})`)
  addFormatOptions(command)
}

/** The part of a help text about the environment. */
export const clientEnvironmentHelp = `
Environment:
  WAYBILL_URL       where Waybill answers (--url wins)
  WAYBILL_TOKEN     the token to show it, where it asks for one
  WAYBILL_FORMAT    text or json
  NO_COLOR          no colours
`

/** What such a command works with. */
export interface ClientRun {
  readonly client: ApiClient
  readonly config: ClientConfig
  readonly colors: ReturnType<typeof pc.createColors>
  /** Columns of the terminal; none where it is none. */
  readonly width: number | undefined
  /** Data: a line of JSON. */
  json(value: unknown): void
  /** Data: lines of text. */
  lines(lines: readonly string[]): void
  /** About the data. */
  note(text: string): void
}

/** Runs it with a client, which is closed afterwards. */
export async function withClient<T>(
  flags: ClientFlags,
  surroundings: Surroundings,
  run: (parts: ClientRun) => Promise<T>,
): Promise<T> {
  const { stdout, stderr, stop } = surroundings
  const config = readClientConfig(flags, surroundings)
  const client = createApiClient(config, stop)
  try {
    return await run({
      client,
      config,
      colors: pc.createColors(colorWanted(surroundings.env, stdout)),
      width: stdout.isTTY ? stdout.columns() : undefined,
      json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
      lines: (lines) => void stdout.write(lines.map((line) => `${line}\n`).join('')),
      note: (text) => void stderr.write(`${text}\n`),
    })
  } finally {
    await client.close()
  }
}
