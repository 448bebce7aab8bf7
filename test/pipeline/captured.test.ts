import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { CapturedLine } from './captured-line.ts'
import { partnerOf, pipelineDriver } from './pipeline-driver.ts'

const fixture = (name: string): CapturedLine[] =>
  readFileSync(new URL(`../fixtures/cdc/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CapturedLine)

describe('the pipeline on captured changes', () => {
  it('sends the happy path of order 1101 as three webhooks, with the rider on the second', async () => {
    const lines = fixture('mariadb/02-happy-path.jsonl')
    const pipe = await pipelineDriver({ startMs: lines[0]?.timestamp ?? 0 })
    await pipe.configure(partnerOf('acme-retail', pipe.seal))
    await pipe.capture(...lines)
    const sent = pipe.requests.map(({ payload }) => payload).filter(({ order_id }) => order_id === '1101')
    expect(sent.map(({ event }) => event)).toEqual(['order_confirmed', 'out_for_delivery', 'delivered'])
    expect(sent[1]).toMatchObject({ enrichment_status: 'COMPLETE', delivery: { attempt_no: 1 } })
    await pipe.driver.close()
  })
})
