/** How Kafka, the registry and dispatch are when nobody says anything: none of them is there. */
import { defaultDispatchDeadlineMs } from '../../connectors/dispatch/deadline.ts'
import { sharedEndpointPartitions } from '../../topology/topics.ts'
import { formatDuration } from './duration.ts'

/** The group `kafka` of the configuration file, as it is when nobody sets it. */
export const kafkaDefaults = {
  brokers: [],
  client_id: 'waybill',
  tls: false,
  ca_file: null,
  cert_file: null,
  key_file: null,
  server_name: null,
  sasl: null,
  username: null,
  password_file: null,
  oauth_token_file: null,
  standbys: 1,
  partitions: 12,
  endpoint_partitions: sharedEndpointPartitions,
  replicas: null,
  instance_id: null,
} as const

/** The group `registry` of the configuration file, as it is when nobody sets it. */
export const registryDefaults = {
  url: null,
  username: null,
  password_file: null,
  token_file: null,
  ca_file: null,
  cert_file: null,
  key_file: null,
} as const

/** The group `dispatch` of the configuration file, as it is when nobody sets it. */
export const dispatchDefaults = {
  address: null,
  deadline: formatDuration(defaultDispatchDeadlineMs),
  tls: false,
  ca_file: null,
  cert_file: null,
  key_file: null,
  server_name: null,
  token_file: null,
} as const
