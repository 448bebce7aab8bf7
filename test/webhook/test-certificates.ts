/** The certificates that `certificates/make.sh` made: they guard nothing, their keys lie beside them. */
import { readFileSync } from 'node:fs'

const read = (name: string): string =>
  readFileSync(new URL(`./certificates/${name}`, import.meta.url), 'utf8')

/** The authority that signed the others; nobody trusts it by itself. */
export const testAuthority = read('ca.pem')

/** For localhost, receiver.test, 127.0.0.1 and 127.0.0.2. */
export const serverCertificate = { cert: read('server.pem'), key: read('server-key.pem') } as const

/** For a client that shows one. */
export const clientCertificate = {
  certificate: read('client.pem'),
  privateKey: read('client-key.pem'),
} as const
