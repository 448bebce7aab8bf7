/** The first two questions: may the URL be called, and does a connection come about that a webhook could use? */
import type { CertificateLook } from '../../connectors/webhook/certificate-look.ts'
import type { Finding } from './finding.ts'

/** `problem` is why the URL would not be called; `undefined` when it would. */
export function addressFinding(problem: string | undefined): Finding {
  const tried = 'looked the name up, and judged the URL and every address'
  if (problem === undefined) {
    return { check: 'address', status: 'ok', tried, came: 'it may be called', mend: null }
  }
  const mend = /http is not allowed/.test(problem)
    ? 'offer https; see docs/egress.md'
    : 'give a host name that stands for public addresses alone; see docs/egress.md'
  return { check: 'address', status: 'fail', tried, came: `it will not be called: ${problem}`, mend }
}

const dayMs = 86_400_000
/** Most authorities' certificates are renewed a month before they end. */
const soonMs = 14 * dayMs

export function connectionFinding(look: CertificateLook, nowMs: number): Finding {
  const tried = 'made a connection, and verified the certificate as every call does'
  const said = (status: Finding['status'], came: string, mend: string | null): Finding => ({
    check: 'connection',
    status,
    tried,
    came,
    mend,
  })
  switch (look.kind) {
    case 'plain': {
      const mend = 'offer https: everybody on the way can read along'
      return { ...said('warn', 'it stands, without TLS', mend), tried: 'made a connection' }
    }
    case 'certified': {
      const day = new Date(look.validUntil).toISOString().slice(0, 10)
      const came = `${look.protocol}, chain complete, issued by ${look.issuer}, valid until ${day}`
      if (look.validUntil - nowMs > soonMs) return said('ok', came, null)
      return said('warn', came, 'renew the certificate: from that day on every delivery fails')
    }
    case 'failed':
      return said('fail', failureText(look), failureMend(look))
  }
}

type Failed = Extract<CertificateLook, { kind: 'failed' }>

/** Nobody was there, so nothing else can be asked. */
export const isUnreachable = (look: CertificateLook): boolean =>
  look.kind === 'failed' && look.outcome !== 'tls' && look.outcome !== 'blocked_address'

const failureText = ({ outcome, detail }: Failed): string =>
  outcome === 'tls' ? `TLS failed: ${detail}` : `no connection (${outcome}): ${detail}`

const incomplete =
  'let the server send the whole chain, intermediates included (often a file called fullchain.pem); browsers fill it in, programs do not'
const publicAuthority = 'use a certificate of a public authority, e.g. Let’s Encrypt'

const mendByCode: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: incomplete,
  UNABLE_TO_GET_ISSUER_CERT: incomplete,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: incomplete,
  DEPTH_ZERO_SELF_SIGNED_CERT: publicAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: publicAuthority,
  CERT_HAS_EXPIRED: 'renew the certificate',
  CERT_NOT_YET_VALID: 'correct the clock of the server, or use the certificate that is valid now',
  ERR_TLS_CERT_ALTNAME_INVALID: 'use a certificate that names this host, or register the host that it names',
}

function failureMend({ outcome, code }: Failed): string {
  switch (outcome) {
    case 'tls':
      return (
        mendByCode[code ?? ''] ??
        'look with: openssl s_client -connect HOST:443 -servername HOST; TLS 1.2 or 1.3 is needed'
      )
    case 'dns':
      return 'check the spelling of the name, and that public DNS knows it'
    case 'refused':
      return 'start the receiver, or open the port'
    case 'timeout_connect':
    case 'unreachable':
      return 'let our addresses through the firewall (docs/egress.md), and check the port'
    default:
      return 'look into the log of the receiver, and of what stands in front of it'
  }
}
