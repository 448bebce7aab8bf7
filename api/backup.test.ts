import { describe, expect, it } from 'vitest'
import { showing, testApi } from './testing/test-api.ts'

describe('GET /v1/backup', () => {
  it('gives an operator the file, with a name of the day, and nobody else', async () => {
    const { app } = await testApi()
    const answer = await app.inject({ url: '/v1/backup', headers: showing('operator') })
    expect([answer.statusCode, answer.body]).toEqual([200, 'a backup'])
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="waybill-2026-11-22.backup"',
      'cache-control': 'no-store',
    })
    expect((await app.inject({ url: '/v1/backup', headers: showing('acme') })).statusCode).toBe(403)
    expect((await app.inject({ url: '/v1/backup' })).statusCode).toBe(401)
  })

  it('says why there is none', async () => {
    for (const refused of ['backup_running', 'log_elsewhere'] as const) {
      const { app } = await testApi({ backups: { start: () => ({ refused }) } })
      const answer = await app.inject({ url: '/v1/backup', headers: showing('operator') })
      expect([answer.statusCode, answer.json().error.code]).toEqual([409, refused])
    }
  })

  it('takes none for the asking of its head', async () => {
    let begun = 0
    const { app } = await testApi({
      backups: {
        start() {
          begun++
          return { refused: 'backup_running' }
        },
      },
    })
    const answer = await app.inject({ method: 'HEAD', url: '/v1/backup', headers: showing('operator') })
    expect([answer.statusCode, begun]).toEqual([404, 0])
  })
})
