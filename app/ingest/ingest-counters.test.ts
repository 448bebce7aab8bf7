import { describe, expect, it } from 'vitest'
import { counterSamples } from '../../ports/metric-samples.ts'
import { ingestSnapshot } from './ingest-counters.ts'

const http = {
  counts: () => ({ accepted: 7, repeated: 2, ignored: 1, refused: { 401: 3, 422: 1 } }),
}
const folder = { counts: () => ({ files: 2, records: 40, badLines: 1 }) }

describe('the counters of the ways in', () => {
  it('become samples of the metrics that stand for them, one for each outcome and status', () => {
    const samples = counterSamples(ingestSnapshot(http, folder)).map(
      ({ metric, labels, value }) => `${metric.name} ${Object.values(labels).join()} ${value}`,
    )
    expect(samples).toEqual([
      'waybill_ingest_http_changes_total accepted 7',
      'waybill_ingest_http_changes_total repeated 2',
      'waybill_ingest_http_changes_total ignored 1',
      'waybill_ingest_http_refused_total 401 3',
      'waybill_ingest_http_refused_total 422 1',
      'waybill_ingest_files_total  2',
      'waybill_ingest_file_records_total  40',
      'waybill_ingest_bad_lines_total  1',
    ])
  })

  it('say nothing of a way that is not configured', () => {
    expect(ingestSnapshot(undefined, undefined).size).toBe(0)
  })
})
