/** What an instance says when what it needs is away or refuses it, on real brokers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../../deploy/stack/ports.ts'
import { ownService } from './services.ts'
import { eventually, type StackFolder, type StackInstance, stackFolder } from './stack-instance.ts'

/** Nothing is sent in these: the delivery log is a server that nobody asks, the receiver an address. */
const place = {
  databaseUrl: 'postgres://nobody:x@127.0.0.1:1/none',
  receiverUrl: 'http://127.0.0.1:1/',
  partners: ['acme-retail'],
}

const egress = 'egress: { allow_http: true, allowed_networks: [127.0.0.0/8] }'

interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly { readonly part: string; readonly what: string }[]
}

const lines = (text: string, wanted: string) =>
  text.split('\n').filter((line) => line.includes(wanted)).length

describe('a broker that does not answer', () => {
  let own: Awaited<ReturnType<typeof ownService<'kafka'>>>
  let folder: StackFolder
  let instance: StackInstance
  let probe: (path: string) => Promise<{ status: number; body: Readiness } | undefined>

  beforeAll(async () => {
    own = await ownService('kafka')
    folder = await stackFolder({ ...place, brokers: own.brokers })
    const [port = 0] = await freePorts()('waybill')
    const kafka = `{ brokers: ["${own.brokers[0]}"], partitions: 2, endpoint_partitions: 2 }`
    folder.write(
      'away.yaml',
      `{ kafka: ${kafka}, api: { auth: none, port: ${port} }, ${egress}, partners: partners.yaml }`,
    )
    probe = async (path) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
      return answer && { status: answer.status, body: (await answer.json()) as Readiness }
    }
  })
  afterAll(async () => {
    await folder?.close()
    await own?.release()
  })

  const isReady = () =>
    eventually(async () => (await probe('/readyz'))?.body.ready === true, 'it to be ready')
  const saysWhy = () =>
    eventually(
      async () => (await probe('/readyz'))?.body.reasons[0]?.what.includes('ECONNREFUSED') ?? false,
      'the reason',
    )

  it('is waited for with one line, while probes say why; then the instance goes on by itself', async () => {
    await own.stop()
    instance = folder.runWith('away.yaml', 'data')
    await saysWhy()
    expect(await probe('/readyz')).toMatchObject({
      status: 503,
      body: { ready: false, reasons: [{ part: 'record_log' }] },
    })
    expect((await probe('/healthz'))?.status).toBe(200)
    await own.start()
    await isReady()
    expect(lines(instance.err(), 'no Kafka broker answers')).toBe(1)
  })

  // Whoever only looks on, the API and the view, once ended the instance here, while the pipeline waited.
  it('any more is waited for by all that read of it', async () => {
    await own.stop()
    const waiting = ['delivery.history', 'partner.config', 'endpoint.health', 'redrives']
    for (const topic of waiting) {
      await eventually(() => instance.err().includes(`${topic} is not read now`), `the line of ${topic}`)
    }
    await saysWhy()
    expect((await probe('/healthz'))?.status).toBe(200)
    await own.start()
    await isReady()
  })

  it('any more does not keep the instance from being stopped', async () => {
    await own.stop()
    await saysWhy()
    expect(await instance.stop()).toBe(0)
  })

  it('at the start does not keep an instance from being stopped', async () => {
    const folder = await stackFolder({ ...place, brokers: ['127.0.0.1:1'] })
    try {
      const instance = folder.run('data')
      await eventually(() => instance.err().includes('no Kafka broker answers'), 'the line')
      expect(await instance.stop()).toBe(0)
    } finally {
      await folder.close()
    }
  })
})

describe('topology apply', () => {
  it('works on a broker that was killed and has just been started, and says of a frozen one to wait', async () => {
    const own = await ownService('kafka')
    const folder = await stackFolder({ ...place, brokers: own.brokers })
    const apply = () => folder.waybill('topology', 'apply', '--config', 'waybill.yaml')
    try {
      expect(await apply()).toMatchObject({ code: 0 })
      await own.kill()
      await own.start()
      expect(await apply()).toMatchObject({ code: 0, err: 'waybill: made 0 topics, changed 0\n' })
      await own.freeze()
      expect(await apply()).toMatchObject({
        code: 3,
        err: expect.stringMatching(
          /the record log cannot answer yet: .* run it again when the cluster is well/s,
        ),
      })
      await own.thaw()
      expect(await apply()).toMatchObject({ code: 0 })
    } finally {
      await folder.close()
      await own.release()
    }
  })
})

describe('a cluster that refuses us', () => {
  let folder: StackFolder
  let own: Awaited<ReturnType<typeof ownService<'kafka'>>>

  beforeAll(async () => {
    own = await ownService('kafka', { secured: true })
    folder = await stackFolder({ ...place, brokers: own.secured?.saslBrokers ?? [] })
  })
  afterAll(async () => {
    await folder.close()
    await own.release()
  })

  const runAs = (user: string, password: string) => {
    folder.write('password', password)
    folder.write(
      'refused.yaml',
      `partners: partners.yaml
${egress}
api: { enabled: false }
kafka: { brokers: ["${own.secured?.saslBrokers[0]}"], sasl: scram-sha-256, username: ${user}, password_file: password }
`,
    )
    return folder.runWith('refused.yaml', 'data')
  }

  it('for a wrong password ends the instance with exit code 3, and never quotes it', async () => {
    const instance = runAs('stranger', 'guessed-wrong')
    expect([await instance.ended, instance.err()]).toEqual([
      3,
      expect.stringMatching(/Kafka refuses: .*stranger/),
    ])
    expect(instance.err()).not.toContain('guessed-wrong')
  })

  it('for a missing right names operation, resource and principal', async () => {
    const instance = runAs('stranger', own.secured?.stranger.password ?? '')
    expect([await instance.ended, instance.err()]).toEqual([
      3,
      expect.stringMatching(/Kafka refuses: Metadata \(DESCRIBE\) of topic cdc\.oms\.orders.*User:stranger/),
    ])
  })

  it('lets in who may do everything', async () => {
    const plan = await (async () => {
      folder.write('password', own.secured?.admin.password ?? '')
      folder.write(
        'admin.yaml',
        `kafka: { brokers: ["${own.secured?.saslBrokers[0]}"], sasl: scram-sha-512, username: admin, password_file: password }
api: { enabled: false }
`,
      )
      return folder.waybill('topology', 'plan', '--config', 'admin.yaml')
    })()
    expect(plan).toMatchObject({ code: 100, err: '' })
    expect(plan.out).toContain('+ create   order.events')
  })
})
