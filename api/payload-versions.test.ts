import { describe, expect, it } from 'vitest'
import { answerVersionHeaders } from '../schemas/index.ts'
import { sample } from './testing/sample-log.ts'
import { showing, testApi } from './testing/test-api.ts'

describe('an answer with bodies', () => {
  it('tells the days of the version that ends first, and nothing where none ends', async () => {
    const { app } = await testApi()
    const old = await app.inject({ url: `/v1/events/${sample.event}`, headers: showing('operator') })
    expect(old.statusCode).toBe(200)
    expect(old.json().payloads.map((shown: { payload_version: string }) => shown.payload_version)).toContain(
      'v1',
    )
    const { deprecation, sunset, link } = old.headers
    expect({ deprecation, sunset, link }).toEqual(answerVersionHeaders(['v1']))
    expect(deprecation).toMatch(/^@\d+$/)

    const list = await app.inject({ url: '/v1/events', headers: showing('operator') })
    expect(list.headers).not.toHaveProperty('sunset')
  })
})
