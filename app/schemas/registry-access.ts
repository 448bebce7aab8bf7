/** Opens the registry that a command is about, and turns its errors into those of the command line. */
import { openRegistryAdmin, type RegistryAdmin } from '../../connectors/registry/registry-admin.ts'
import { RegistryError } from '../../connectors/registry/registry-error.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { readConfig } from '../config/config.ts'

/** Where the registry is: a flag, the environment, or the configuration file. Credentials never come by flag. */
export interface RegistryFlags {
  readonly registry?: string
  readonly config?: string
}

/** Runs something with the registry, which is closed afterwards. */
export async function withRegistry<T>(
  { registry, config }: RegistryFlags,
  surroundings: Surroundings,
  use: (admin: RegistryAdmin) => Promise<T>,
): Promise<T> {
  const env =
    registry === undefined ? surroundings.env : { ...surroundings.env, WAYBILL_REGISTRY_URL: registry }
  const address = readConfig(
    { demo: false, api: false, ...(config !== undefined && { config }) },
    { ...surroundings, env },
  ).registry
  if (!address) {
    throw new CliError(exitCode.usage, {
      what: 'no registry is named',
      mend: 'name it with --registry, WAYBILL_REGISTRY_URL, or registry.url in the file of --config',
    })
  }
  let admin: RegistryAdmin | undefined
  try {
    admin = openRegistryAdmin(address)
    return await use(admin)
  } catch (error) {
    throw error instanceof RegistryError ? asCliError(error) : error
  } finally {
    await admin?.close()
  }
}

function asCliError(error: RegistryError): CliError {
  const [code, mend] = whatNow(error)
  return new CliError(code, { what: error.message, mend }, { cause: error })
}

function whatNow({ kind }: RegistryError): readonly [ExitCode, string] {
  switch (kind) {
    case 'unreachable':
      return [
        exitCode.unreachable,
        'start it, or say where it is with --registry or registry.url; then try again',
      ]
    case 'unauthorized':
      return [
        exitCode.usage,
        'give credentials in the configuration file (registry.username, registry.token_file)',
      ]
    case 'incompatible':
      return [exitCode.findings, 'see waybill schemas check --against registry for what breaks']
    default:
      return [
        exitCode.usage,
        'check --registry; what was done before this is kept, and a second run goes on from there',
      ]
  }
}
