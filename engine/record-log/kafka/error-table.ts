/**
 * Every error code of Kafka's protocol with its name, and what the caller does about it. The codes are those of
 * Kafka 4.4; the class of each is decided here and nowhere else. A code that is not in the table is of a newer broker
 * and is not asked again: nobody knows what it means.
 */
import { LogError, type LogErrorKind } from '../port.ts'

type Named = Readonly<Record<number, string>>

/**
 * `abortable`: the transaction cannot be committed, its writer stays the owner. `fenced`: another member or writer
 * took over; 47 also comes after the broker aborted a transaction that took too long, which is treated alike.
 */
const names: Readonly<Record<Exclude<LogErrorKind, 'outcome_unknown'>, Named>> = {
  retriable: {
    2: 'CORRUPT_MESSAGE',
    3: 'UNKNOWN_TOPIC_OR_PARTITION',
    5: 'LEADER_NOT_AVAILABLE',
    6: 'NOT_LEADER_OR_FOLLOWER',
    7: 'REQUEST_TIMED_OUT',
    8: 'BROKER_NOT_AVAILABLE',
    9: 'REPLICA_NOT_AVAILABLE',
    13: 'NETWORK_EXCEPTION',
    14: 'COORDINATOR_LOAD_IN_PROGRESS',
    15: 'COORDINATOR_NOT_AVAILABLE',
    16: 'NOT_COORDINATOR',
    19: 'NOT_ENOUGH_REPLICAS',
    20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    41: 'NOT_CONTROLLER',
    51: 'CONCURRENT_TRANSACTIONS',
    56: 'KAFKA_STORAGE_ERROR',
    70: 'FETCH_SESSION_ID_NOT_FOUND',
    71: 'INVALID_FETCH_SESSION_EPOCH',
    72: 'LISTENER_NOT_FOUND',
    74: 'FENCED_LEADER_EPOCH',
    75: 'UNKNOWN_LEADER_EPOCH',
    78: 'OFFSET_NOT_AVAILABLE',
    80: 'PREFERRED_LEADER_NOT_AVAILABLE',
    83: 'ELIGIBLE_LEADERS_NOT_AVAILABLE',
    84: 'ELECTION_NOT_NEEDED',
    88: 'UNSTABLE_OFFSET_COMMIT',
    89: 'THROTTLING_QUOTA_EXCEEDED',
    100: 'UNKNOWN_TOPIC_ID',
    103: 'INCONSISTENT_TOPIC_ID',
    106: 'FETCH_SESSION_TOPIC_ID_ERROR',
    122: 'SHARE_SESSION_NOT_FOUND',
    123: 'INVALID_SHARE_SESSION_EPOCH',
    133: 'SHARE_SESSION_LIMIT_REACHED',
  },
  abortable: {
    27: 'REBALANCE_IN_PROGRESS',
    45: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    46: 'DUPLICATE_SEQUENCE_NUMBER',
    48: 'INVALID_TXN_STATE',
    52: 'TRANSACTION_COORDINATOR_FENCED',
    59: 'UNKNOWN_PRODUCER_ID',
    120: 'TRANSACTION_ABORTABLE',
  },
  fenced: {
    22: 'ILLEGAL_GENERATION',
    25: 'UNKNOWN_MEMBER_ID',
    47: 'INVALID_PRODUCER_EPOCH',
    49: 'INVALID_PRODUCER_ID_MAPPING',
    82: 'FENCED_INSTANCE_ID',
    90: 'PRODUCER_FENCED',
    110: 'FENCED_MEMBER_EPOCH',
    113: 'STALE_MEMBER_EPOCH',
  },
  rejected: {
    [-1]: 'UNKNOWN_SERVER_ERROR',
    1: 'OFFSET_OUT_OF_RANGE',
    4: 'INVALID_FETCH_SIZE',
    10: 'MESSAGE_TOO_LARGE',
    11: 'STALE_CONTROLLER_EPOCH',
    12: 'OFFSET_METADATA_TOO_LARGE',
    17: 'INVALID_TOPIC_EXCEPTION',
    18: 'RECORD_LIST_TOO_LARGE',
    21: 'INVALID_REQUIRED_ACKS',
    23: 'INCONSISTENT_GROUP_PROTOCOL',
    24: 'INVALID_GROUP_ID',
    26: 'INVALID_SESSION_TIMEOUT',
    28: 'INVALID_COMMIT_OFFSET_SIZE',
    29: 'TOPIC_AUTHORIZATION_FAILED',
    30: 'GROUP_AUTHORIZATION_FAILED',
    31: 'CLUSTER_AUTHORIZATION_FAILED',
    32: 'INVALID_TIMESTAMP',
    33: 'UNSUPPORTED_SASL_MECHANISM',
    34: 'ILLEGAL_SASL_STATE',
    35: 'UNSUPPORTED_VERSION',
    36: 'TOPIC_ALREADY_EXISTS',
    37: 'INVALID_PARTITIONS',
    38: 'INVALID_REPLICATION_FACTOR',
    39: 'INVALID_REPLICA_ASSIGNMENT',
    40: 'INVALID_CONFIG',
    42: 'INVALID_REQUEST',
    43: 'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    44: 'POLICY_VIOLATION',
    50: 'INVALID_TRANSACTION_TIMEOUT',
    53: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    54: 'SECURITY_DISABLED',
    55: 'OPERATION_NOT_ATTEMPTED',
    57: 'LOG_DIR_NOT_FOUND',
    58: 'SASL_AUTHENTICATION_FAILED',
    60: 'REASSIGNMENT_IN_PROGRESS',
    61: 'DELEGATION_TOKEN_AUTH_DISABLED',
    62: 'DELEGATION_TOKEN_NOT_FOUND',
    63: 'DELEGATION_TOKEN_OWNER_MISMATCH',
    64: 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
    65: 'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
    66: 'DELEGATION_TOKEN_EXPIRED',
    67: 'INVALID_PRINCIPAL_TYPE',
    68: 'NON_EMPTY_GROUP',
    69: 'GROUP_ID_NOT_FOUND',
    73: 'TOPIC_DELETION_DISABLED',
    76: 'UNSUPPORTED_COMPRESSION_TYPE',
    77: 'STALE_BROKER_EPOCH',
    79: 'MEMBER_ID_REQUIRED',
    81: 'GROUP_MAX_SIZE_REACHED',
    85: 'NO_REASSIGNMENT_IN_PROGRESS',
    86: 'GROUP_SUBSCRIBED_TO_TOPIC',
    87: 'INVALID_RECORD',
    91: 'RESOURCE_NOT_FOUND',
    92: 'DUPLICATE_RESOURCE',
    93: 'UNACCEPTABLE_CREDENTIAL',
    94: 'INCONSISTENT_VOTER_SET',
    95: 'INVALID_UPDATE_VERSION',
    96: 'FEATURE_UPDATE_FAILED',
    97: 'PRINCIPAL_DESERIALIZATION_FAILURE',
    98: 'SNAPSHOT_NOT_FOUND',
    99: 'POSITION_OUT_OF_RANGE',
    101: 'DUPLICATE_BROKER_REGISTRATION',
    102: 'BROKER_ID_NOT_REGISTERED',
    104: 'INCONSISTENT_CLUSTER_ID',
    105: 'TRANSACTIONAL_ID_NOT_FOUND',
    107: 'INELIGIBLE_REPLICA',
    108: 'NEW_LEADER_ELECTED',
    109: 'OFFSET_MOVED_TO_TIERED_STORAGE',
    111: 'UNRELEASED_INSTANCE_ID',
    112: 'UNSUPPORTED_ASSIGNOR',
    114: 'MISMATCHED_ENDPOINT_TYPE',
    115: 'UNSUPPORTED_ENDPOINT_TYPE',
    116: 'UNKNOWN_CONTROLLER_ID',
    117: 'UNKNOWN_SUBSCRIPTION_ID',
    118: 'TELEMETRY_TOO_LARGE',
    119: 'INVALID_REGISTRATION',
    121: 'INVALID_RECORD_STATE',
    124: 'FENCED_STATE_EPOCH',
    125: 'INVALID_VOTER_KEY',
    126: 'DUPLICATE_VOTER',
    127: 'VOTER_NOT_FOUND',
    128: 'INVALID_REGULAR_EXPRESSION',
    129: 'REBOOTSTRAP_REQUIRED',
    130: 'STREAMS_INVALID_TOPOLOGY',
    131: 'STREAMS_INVALID_TOPOLOGY_EPOCH',
    132: 'STREAMS_TOPOLOGY_FENCED',
    134: 'GROUP_DELETION_FAILED',
    135: 'STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED',
    136: 'CONTROLLER_ID_NOT_REGISTERED',
  },
}

/** What a bare name does not tell, for the errors that people meet. */
const meanings: Named = {
  3: 'the topic or partition does not exist, or may not be seen',
  10: 'a record is larger than the topic accepts (max.message.bytes)',
  17: 'the topic name is not allowed',
  18: 'the records are larger than a segment of the topic',
  19: 'fewer replicas are in sync than min.insync.replicas asks for',
  29: 'the principal may not do this with the topic: grant it the operation with an ACL',
  30: 'the principal may not use this consumer group: grant READ on the group',
  31: 'the principal may not do this on the cluster: grant it with an ACL',
  35: 'the broker does not speak this version of the request',
  38: 'there are fewer brokers than replicas asked for',
  44: 'a policy of the cluster forbids it',
  47: 'another writer with this transactional id took over, or the transaction took too long and was aborted',
  53: 'the principal may not use this transactional id: grant WRITE on it',
  58: 'the user name or password is wrong',
  82: 'another process runs with the same instance id',
  87: 'the broker found the record invalid, e.g. without a key on a compacted topic',
  90: 'another writer with this transactional id took over',
}

export interface KafkaError {
  readonly code: number
  readonly name: string
  readonly kind: LogErrorKind
  /** A sentence for people; empty where the name says it all. */
  readonly meaning: string
}

const table = new Map<number, KafkaError>()
for (const kind of ['retriable', 'abortable', 'fenced', 'rejected'] as const) {
  for (const [code, name] of Object.entries(names[kind])) {
    table.set(Number(code), { code: Number(code), name, kind, meaning: meanings[Number(code)] ?? '' })
  }
}

/** What an error code means. Codes of newer brokers are `rejected`. */
export const kafkaError = (code: number): KafkaError =>
  table.get(code) ?? {
    code,
    name: `ERROR_${code}`,
    kind: 'rejected',
    meaning: 'the broker is newer than we are',
  }

/** Wrong credentials or a missing ACL: nothing gets better by waiting. */
export const isDenied = (code: number): boolean => [29, 30, 31, 33, 34, 53, 58, 64, 65, 66].includes(code)

/** A broker's refusal, as the port's error. */
export class BrokerError extends LogError {
  readonly code: number
  readonly codeName: string
  constructor(code: number, what: string, kind: LogErrorKind = kafkaError(code).kind) {
    const { name, meaning } = kafkaError(code)
    super(kind, `${what}: ${name} (${code})${meaning && `: ${meaning}`}`)
    this.name = 'BrokerError'
    this.code = code
    this.codeName = name
  }
}

/** Throws unless the code is 0. `what` says the operation and its resource, e.g. `CreateTopics of orders`. */
export function checkCode(code: number, what: string): void {
  if (code !== 0) throw new BrokerError(code, what)
}

/** The codes that the code branches on, by name. */
export const errorCode = {
  unknownServerError: -1,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  messageTooLarge: 10,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  recordListTooLarge: 18,
  illegalGeneration: 22,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  notController: 41,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTransactionState: 48,
  concurrentTransactions: 51,
  groupIdNotFound: 69,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  memberIdRequired: 79,
  fencedInstanceId: 82,
  unstableOffsetCommit: 88,
  producerFenced: 90,
} as const
