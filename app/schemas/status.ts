/**
 * `waybill schemas status`: how folder, registry and the service on this data directory differ, and how the payload
 * versions stand: since when, until when, who still pins what, and whom to tell.
 */
import {
  brokenPromises,
  type PinnedEndpoint,
  payloadReleases,
  payloadVersions,
  retirementObstacles,
  standingOf,
} from '../../schemas/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { type ExitCode, exitCode } from '../cli/exit-code.ts'
import { suggestion } from '../cli/nearest.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { readConfig } from '../config/config.ts'
import { table } from '../view/table.ts'
import { readPins } from './pins.ts'
import { type RegistryFlags, withRegistry } from './registry-access.ts'
import { type ComparedSubject, compareWithRegistry } from './registry-plan.ts'
import {
  colorsFor,
  formatOf,
  type OpenedFolder,
  openFolder,
  type SchemaFlags,
  todayOf,
  writeLines,
} from './schemas-run.ts'
import { serviceVersions } from './service-state.ts'

export interface StatusFlags extends SchemaFlags, RegistryFlags {
  readonly partners?: string
  readonly dataDir?: string
  readonly retire?: string
}

/** One subject. */
interface SubjectStatus {
  readonly subject: string
  readonly folder: string
  readonly registry: string
  readonly level: string
  readonly service: string
  readonly drift: string
}

/** One version of the payload. */
interface PayloadStatus {
  readonly version: string
  readonly standing: string
  readonly released: string
  readonly deprecated: string | null
  readonly sunset: string | null
  readonly successor: string | null
  readonly pinned: readonly PinnedEndpoint[]
}

export async function runStatus(flags: StatusFlags, surroundings: Surroundings): Promise<ExitCode> {
  const folder = openFolder(flags, surroundings)
  const env =
    flags.registry === undefined
      ? surroundings.env
      : { ...surroundings.env, WAYBILL_REGISTRY_URL: flags.registry }
  const { config, partners, dataDir } = flags
  const settings = readConfig(
    {
      demo: false,
      api: false,
      ...(config !== undefined && { config }),
      ...(partners !== undefined && { partners }),
      ...(dataDir !== undefined && { dataDir }),
    },
    { ...surroundings, env },
  )
  const compared = settings.registry
    ? await withRegistry(flags, surroundings, (admin) =>
        compareWithRegistry(admin, folder, todayOf(surroundings)),
      )
    : undefined
  const service = serviceVersions(settings.dataDirectory, folder.texts)
  const subjects = [...folder.texts.subjects.keys()].map((subject) =>
    subjectStatus(
      subject,
      folder,
      compared?.find((one) => one.subject === subject),
      service,
    ),
  )
  const pins = settings.partnersFile === undefined ? undefined : readPins(settings.partnersFile)
  const nowMs = surroundings.clock.now()
  const payloads = payloadReleases.map(
    (release): PayloadStatus => ({
      ...release,
      standing: standingOf(release, nowMs),
      pinned: (pins ?? []).filter(({ version }) => version === release.version),
    }),
  )
  const broken = [
    ...brokenPromises({ releases: payloadReleases, renderable: payloadVersions, nowMs }),
    ...(flags.retire === undefined ? [] : obstacles(flags.retire, pins, nowMs)),
  ]
  const status = {
    subjects,
    payloads,
    broken,
    pinsKnown: pins !== undefined,
    registryKnown: compared !== undefined,
  }
  if (formatOf(flags, surroundings, ['json']) === 'json') writeLines(surroundings, [JSON.stringify(status)])
  else writeLines(surroundings, statusLines(status, flags.retire, surroundings))
  return broken.length > 0 || subjects.some(({ drift }) => drift !== '') ? exitCode.findings : exitCode.ok
}

function obstacles(
  version: string,
  pins: readonly PinnedEndpoint[] | undefined,
  nowMs: number,
): readonly string[] {
  if (!payloadReleases.some((release) => release.version === version)) {
    const mend = suggestion(
      version,
      payloadReleases.map((release) => release.version),
    )
    throw new CliError(exitCode.usage, { what: `there is no payload version "${version}"`, mend })
  }
  if (pins === undefined) {
    const what = `whether an endpoint pins ${version} is not known`
    throw new CliError(exitCode.usage, { what, mend: 'name partners.yaml with --partners' })
  }
  return retirementObstacles(version, { releases: payloadReleases, pins, nowMs })
}

function subjectStatus(
  subject: string,
  { texts, policy }: OpenedFolder,
  compared: ComparedSubject | undefined,
  service: ReadonlyMap<string, number> | undefined,
): SubjectStatus {
  const newest = texts.subjects.get(subject)?.at(-1)?.version ?? 0
  const running = service?.get(subject)
  const drift = [
    ...(compared && compared.lacking.length > 0
      ? [`the registry lacks ${compared.lacking.map((version) => `v${version}`).join(', ')}`]
      : []),
    ...(compared && compared.unknown.length > 0 ? [`no file holds its ${compared.unknown.join(', ')}`] : []),
    ...(compared && compared.level !== compared.wanted ? [`its level is ${compared.level}`] : []),
    ...(service && running !== newest
      ? [`the service ${running === undefined ? 'lacks it' : `writes v${running}`}`]
      : []),
  ]
  return {
    subject,
    folder: `v${newest}`,
    registry: compared ? (compared.lacking.includes(newest) ? 'behind' : 'same') : '',
    level: policy.levelOf(subject),
    service: service ? (running === undefined ? '-' : `v${running}`) : '',
    drift: drift.join('; '),
  }
}

interface Status {
  readonly subjects: readonly SubjectStatus[]
  readonly payloads: readonly PayloadStatus[]
  readonly broken: readonly string[]
  readonly pinsKnown: boolean
  readonly registryKnown: boolean
}

function statusLines(
  { subjects, payloads, broken, pinsKnown, registryKnown }: Status,
  retire: string | undefined,
  surroundings: Surroundings,
): readonly string[] {
  const { stdout } = surroundings
  const colors = colorsFor(surroundings)
  const drifted = subjects.filter(({ drift }) => drift !== '')
  const rows = table<SubjectStatus>(
    [
      { title: 'SUBJECT', text: ({ subject }) => subject },
      { title: 'FOLDER', text: ({ folder }) => folder },
      ...(registryKnown ? [{ title: 'REGISTRY', text: ({ registry }: SubjectStatus) => registry }] : []),
      ...(subjects.some(({ service }) => service !== '')
        ? [{ title: 'SERVICE', text: ({ service }: SubjectStatus) => service }]
        : []),
      { title: 'LEVEL', text: ({ level }) => level, drop: 1 },
      { title: 'DRIFT', text: ({ drift }) => drift, paint: (text) => colors.yellow(text) },
    ],
    subjects,
    stdout.isTTY ? stdout.columns() : undefined,
    colors.dim,
  ).map((line) => line.trimEnd())
  const versions = payloads.flatMap(
    ({ version, standing, released, deprecated, sunset, successor, pinned }) => [
      `payload ${version}: ${standing.replace('_', ' ')}, released ${released}${
        deprecated === null ? '' : `, deprecated ${deprecated}, sunset ${sunset}, successor ${successor}`
      }`,
      ...(pinsKnown
        ? [
            `  pinned by ${pinned.length === 0 ? 'nobody' : pinned.map(({ partner, endpoint }) => `${endpoint} (${partner})`).join(', ')}`,
          ]
        : []),
      ...(deprecated !== null && pinned.length > 0
        ? [
            `  tell ${[...new Set(pinned.map(({ partner }) => partner))].join(', ')}: move to ${successor} before ${sunset}`,
          ]
        : []),
    ],
  )
  return [
    ...rows,
    '',
    ...versions,
    ...(pinsKnown ? [] : ['who pins what is not known: name partners.yaml with --partners']),
    ...(registryKnown ? [] : ['no registry is named (--registry): the schemas that ship are the registry']),
    ...(broken.length > 0 ? ['', ...broken.map((line) => colors.red(`x ${line}`))] : []),
    ...(retire !== undefined && broken.length === 0 ? ['', `${retire} can be removed`] : []),
    ...(drifted.length > 0 && registryKnown
      ? ['', 'waybill schemas plan says what would bring them together']
      : []),
  ]
}
