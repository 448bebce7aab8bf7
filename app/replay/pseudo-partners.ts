/** Without a partners.yaml a replay shows everything: each partner named in the orders gets one pseudo-endpoint. */
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import type { SourceMapping } from '../../processors/normalize/source-mapping.ts'
import { endpointDefaults, type PartnerSettings } from '../config/partner-settings.ts'

export interface PartnerFinder {
  /** Notes the partners of these records; true when there are new ones. */
  add(records: readonly CapturedRecord[]): boolean
  settings(): PartnerSettings[]
}

/** A dry call takes no time, so many may be open at once. */
const callsAtOnce = 1000

/** Nothing is sent there: a name that can never be resolved (RFC 2606). */
const pseudoUrl = (partner: string) => `https://dry-run.invalid/${encodeURIComponent(partner)}`

/** Looks for the mapped partner column in the text of a change; whatever it finds too much does no harm. */
export function partnerFinder(mapping: SourceMapping): PartnerFinder {
  const columns = new Set(
    mapping.blocks.flatMap((block) => (block.role === 'orders' ? [block.columns.partner_id] : [])),
  )
  const patterns = [...columns].map(
    (column) => new RegExp(`${escaped(JSON.stringify(column))}\\s*:\\s*("(?:[^"\\\\]|\\\\.)*"|-?\\d+)`, 'g'),
  )
  const found = new Map<string, PartnerSettings>()

  return {
    add(records) {
      const before = found.size
      for (const { value } of records) {
        if (value === null) continue
        const text = typeof value === 'string' ? value : Buffer.from(value).toString('utf8')
        for (const pattern of patterns) {
          for (const match of text.matchAll(pattern)) {
            const id = String(JSON.parse(match[1] ?? '""'))
            if (id !== '' && !found.has(id)) found.set(id, pseudoPartner(id))
          }
        }
      }
      return found.size > before
    },
    settings: () => [...found.values()],
  }
}

const pseudoPartner = (id: string): PartnerSettings => ({
  id,
  name: id,
  endpoints: [
    {
      ...endpointDefaults,
      id: `${id}:all`,
      url: pseudoUrl(id),
      version: 'v2',
      secrets: [`whsec_${Buffer.alloc(24).toString('base64')}`],
      maxConcurrent: callsAtOnce,
      maxAgeMs: {},
    },
  ],
})

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
