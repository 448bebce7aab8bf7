/** Reads partners.yaml: who receives webhooks, where, and which events. */
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { endpointKeys, idMend, idPattern, readEndpoint } from './endpoint-fields.ts'
import { type FieldReader, type Fields, fieldReader } from './fields.ts'
import { noticeKeys, readNotice } from './partner-notices.ts'
import type { EndpointSettings, NoticeSettings, PartnerSettings } from './partner-settings.ts'
import { filesBeside, type PartnerSources } from './partner-sources.ts'
import { readYamlFile, type YamlFile, type YamlPath } from './yaml-file.ts'

const maxEndpoints = 5

/** Reads and checks the file; everything that is wrong comes in one `CliError`, each with line and mend. */
export function readPartnersFile(
  path: string,
  sources: Pick<PartnerSources, 'env' | 'vetting'>,
): PartnerSettings[] {
  return parsePartners(readYamlFile(path), { ...sources, readFile: filesBeside(path) })
}

/** The same for a document at hand. */
export function parsePartners(file: YamlFile, sources: PartnerSources): PartnerSettings[] {
  const reader = fieldReader(file)
  const partners: PartnerSettings[] = []
  const top = reader.fields(file.value, [], ['partners'], 'the file')
  const listed = top?.list('partners', 'write "partners:" and below it one "- id: …" per partner') ?? []
  const ids = uniqueIds(reader, 'partner')
  // Endpoints are addressed by their id alone, whoever they belong to.
  const endpointIds = uniqueIds(reader, 'endpoint')
  for (const [index, item] of listed.entries()) {
    const path = ['partners', index]
    const fields = reader.fields(item, path, ['id', 'name', 'endpoints', 'notices'], 'a partner')
    const partner = fields && readPartner(reader, fields, { ids, endpointIds }, sources)
    if (partner) partners.push(partner)
  }
  if (reader.problems.length > 0) throw new CliError(exitCode.usage, reader.problems)
  return partners
}

type IdCheck = (id: string, path: YamlPath) => void

function readPartner(
  reader: FieldReader,
  fields: Fields,
  checks: { ids: IdCheck; endpointIds: IdCheck },
  sources: PartnerSources,
): PartnerSettings | undefined {
  const id = fields.text('id', 'write the partner_id that the orders carry')
  if (id === undefined) return undefined
  if (!idPattern.test(id)) fields.problem('id', `the id "${id}" will not do`, idMend)
  checks.ids(id, [...fields.path, 'id'])
  const name = fields.has('name') ? fields.text('name', 'write a name for people') : id
  const listed = fields.has('endpoints') ? fields.list('endpoints', 'write one "- id: …" per endpoint') : []
  if (listed === undefined || name === undefined) return undefined
  if (listed.length > maxEndpoints) {
    const what = `"${id}" has ${listed.length} endpoints, ${maxEndpoints} is the most`
    fields.problem('endpoints', what, 'drop some, or make a second partner')
  }
  const endpoints: EndpointSettings[] = []
  for (const [index, item] of listed.entries()) {
    const path = [...fields.path, 'endpoints', index]
    const endpointFields = reader.fields(item, path, endpointKeys, 'an endpoint')
    const endpoint = endpointFields && readEndpoint(endpointFields, sources)
    if (!endpoint) continue
    checks.endpointIds(endpoint.id, [...path, 'id'])
    endpoints.push(endpoint)
  }
  const notices = readNotices(reader, fields, sources)
  return { id, name, endpoints, ...(notices.length > 0 && { notices }) }
}

const maxNotices = 5

function readNotices(reader: FieldReader, fields: Fields, { vetting }: PartnerSources): NoticeSettings[] {
  const listed = fields.has('notices') ? fields.list('notices', 'write one "- kind: …" per channel') : []
  if (listed !== undefined && listed.length > maxNotices)
    fields.problem('notices', `${listed.length} channels, ${maxNotices} is the most`, 'drop some')
  return (listed ?? []).flatMap((item, index) => {
    const path = [...fields.path, 'notices', index]
    const noticeFields = reader.fields(item, path, noticeKeys, 'a notice channel')
    return (noticeFields && readNotice(noticeFields, vetting)) ?? []
  })
}

/** Reports an id that was seen before. */
function uniqueIds(reader: FieldReader, what: string): IdCheck {
  const seen = new Map<string, YamlPath>()
  return (id, path) => {
    if (seen.has(id)) reader.problem(path, `the ${what} "${id}" is there twice`, 'give each an id of its own')
    else seen.set(id, path)
  }
}
