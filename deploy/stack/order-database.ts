/** What the databases of the demonstration have in common, whichever server they are on: accounts, and where it listens. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Server = 'mariadb' | 'mysql'

/** Paths of sockets end at 107 bytes; a data directory may lie deeper. */
export const socketOf = (server: Server, port: number): string =>
  join(tmpdir(), `waybill-${server}-${port}.sock`)

/** For whoever uses it: the account that writes orders, and the one that captures them. */
export const orderDatabaseFacts = (server: Server, port: number) => ({
  host: '127.0.0.1',
  port: String(port),
  writer: 'oms',
  writerPassword: 'oms',
  capturer: 'cdc',
  capturerPassword: 'cdc',
  socket: socketOf(server, port),
})
