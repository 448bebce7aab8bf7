/**
 * Checks an endpoint as a delivery would meet it: the same vetting, connections, signing and deadline. Asks in turn and
 * stops where the next question has no sense: what may not be called is not connected to, and what cannot be connected
 * to is not sent anything.
 */
import { v5 } from 'uuid'
import { makeVetting } from '../../connectors/webhook/address-vetting.ts'
import { makeCertificateLook } from '../../connectors/webhook/certificate-look.ts'
import { createHttpSender, type EgressSettings } from '../../connectors/webhook/http-sender.ts'
import { sign, signer } from '../../connectors/webhook/standard-webhooks.ts'
import type { Clock, Random } from '../../engine/index.ts'
import type { AcknowledgeOn, SendCertificate, Sender, SendOutcome } from '../../ports/sender.ts'
import { exampleBody } from '../endpoint-tests/example-event.ts'
import { addressFinding, connectionFinding, isUnreachable } from './connection-checks.ts'
import type { Finding, PreflightReport } from './finding.ts'
import {
  needsSecret,
  type RequestCheck,
  requestChecks,
  requestFinding,
  timeFinding,
} from './request-checks.ts'

export interface PreflightTarget {
  readonly url: string
  readonly endpointId: string | null
  readonly partnerId: string
  readonly version: 'v1' | 'v2'
  readonly timeoutMs: number
  readonly acknowledgeOn: AcknowledgeOn
  readonly headers: Readonly<Record<string, string>>
  readonly clientCertificate: SendCertificate | null
  /** `whsec_…` or `whsk_…`; without any, what needs them is not asked. */
  readonly secrets: readonly string[]
}

export interface PreflightOptions {
  readonly egress: EgressSettings
  /** Real time. */
  readonly clock: Clock
  readonly random: Random
  /** `waybill/<version>` is what the receiver sees. */
  readonly programVersion: string
  readonly signal: AbortSignal
  /** PEM; certificates to trust beside Node's own. */
  readonly trusted?: string
}

/** Rejects only when `signal` aborts. */
export async function runPreflight(
  target: PreflightTarget,
  options: PreflightOptions,
): Promise<PreflightReport> {
  const { clock } = options
  const report = (checks: readonly Finding[], unreachable = false): PreflightReport => ({
    url: target.url,
    endpoint_id: target.endpointId,
    result: unreachable ? 'unreachable' : checks.every(isFine) ? 'ok' : 'findings',
    checks,
  })
  const url = new URL(target.url)
  const forbidden = makeVetting(options.egress).url(url)
  if (forbidden !== undefined) return report([addressFinding(forbidden)])
  const look = await makeCertificateLook(options)(url, target.timeoutMs, target.clientCertificate)
  options.signal.throwIfAborted()
  if (look.kind === 'failed' && look.outcome === 'blocked_address')
    return report([addressFinding(look.detail)])
  const connection = connectionFinding(look, clock.now())
  if (isUnreachable(look)) return report([connection], true)
  const address = addressFinding(undefined)
  if (connection.status === 'fail') return report([address, connection])
  const sender = createHttpSender(options)
  try {
    return report([address, connection, ...(await askAll(sender, target, options))])
  } finally {
    await sender.close()
  }
}

/** What was not asked is not known to be right. */
const isFine = ({ status }: Finding): boolean => status === 'ok'

async function askAll(
  sender: Sender,
  target: PreflightTarget,
  options: PreflightOptions,
): Promise<Finding[]> {
  const ask = makeRequests(sender, target, options)
  const findings: Finding[] = []
  const taken: SendOutcome[] = []
  const redirected: SendOutcome[] = []
  for (const check of requestChecks) {
    if (needsSecret(check) && target.secrets.length === 0) {
      findings.push(skipped(check, 'give the secret with --secret-file'))
      continue
    }
    const first = findings.find((finding) => finding.check === 'signed_event')
    if (needsSecret(check) && first?.status === 'fail') {
      findings.push(skipped(check, 'it has no sense before a signed event is taken'))
      continue
    }
    const outcome = await ask(check)
    const finding = requestFinding(check, outcome)
    findings.push(finding)
    if (check.expects === 'taken' && finding.status === 'ok') taken.push(outcome)
    if (outcome.class === 'http_3xx') redirected.push(outcome)
  }
  if (taken.length > 0) findings.push(timeFinding(taken, target.timeoutMs))
  return [...findings, redirectFinding(redirected)]
}

const skipped = ({ check, tried }: RequestCheck, why: string): Finding => ({
  check,
  status: 'skipped',
  tried,
  came: `not tried: ${why}`,
  mend: null,
})

function redirectFinding(redirected: readonly SendOutcome[]): Finding {
  const finding = { check: 'redirects', tried: 'looked at every answer' }
  const count = redirected.length
  if (count === 0) return { ...finding, status: 'ok', came: 'none was a redirect', mend: null }
  const targets = [...new Set(redirected.flatMap(({ redirectsTo }) => redirectsTo ?? []))]
  const came = `${count} ${count === 1 ? 'was a redirect' : 'were redirects'}`
  return {
    ...finding,
    status: 'fail',
    came: targets.length === 0 ? came : `${came}, to ${targets.join(' and ')}`,
    mend: `register ${targets.length === 1 ? targets[0] : 'the URL that it redirects to'}: redirects are never followed`,
  }
}

/** Makes the requests; the first one's id and body are those of its repeat. */
function makeRequests(sender: Sender, target: PreflightTarget, options: PreflightOptions) {
  const { clock, random, signal } = options
  const run = Buffer.from(random.bytes(12)).toString('hex')
  // The same for all: a repeat has the same bytes.
  const startedAt = clock.now()
  const strange = `whsec_${Buffer.from(random.bytes(32)).toString('base64')}`
  return (check: RequestCheck): Promise<SendOutcome> => {
    const { signature, ageSeconds = 0, changedBody, repeats } = check.with
    const id = v5(`${run}|${repeats ? 'signed_event' : check.check}`, preflightNamespace)
    const body = exampleBody({
      event: 'order_confirmed',
      eventId: id,
      orderId: `waybill-check-${run.slice(0, 8)}`,
      partnerId: target.partnerId,
      version: target.version,
      at: startedAt,
    })
    const secrets = secretsFor(signature, target.secrets, strange)
    const signedAt = clock.now() - ageSeconds * 1000
    return sender.send(
      {
        deliveryId: id,
        endpointId: target.endpointId ?? 'check',
        partnerId: target.partnerId,
        url: target.url,
        headers: {
          ...target.headers,
          'content-type': 'application/json',
          'user-agent': `waybill/${options.programVersion}`,
          ...(secrets.length > 0 ? sign(id, signedAt, body, secrets.map(signer)) : { 'webhook-id': id }),
          'waybill-attempt': repeats ? '2' : '1',
          'waybill-trigger': 'test',
          'waybill-first-attempted-at': new Date(signedAt).toISOString(),
        },
        body: changedBody
          ? Buffer.from(Buffer.from(body).toString().replace('waybill-check', 'waybill-forged'))
          : body,
        timeoutMs: target.timeoutMs,
        acknowledgeOn: target.acknowledgeOn,
        clientCertificate: target.clientCertificate,
        secrets: [...target.secrets, ...Object.values(target.headers)],
      },
      { signal },
    )
  }
}

const preflightNamespace = '3d3f3f0a-0d0c-5f3e-8f4b-2d7c6a1b9e10'

function secretsFor(
  signature: RequestCheck['with']['signature'],
  own: readonly string[],
  strange: string,
): readonly string[] {
  switch (signature) {
    case 'right':
      return own
    case 'rotating':
      return [strange, ...own]
    case 'wrong':
      return [strange]
    case 'none':
      return []
  }
}
