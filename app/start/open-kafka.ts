/** Opens Kafka as the settings say. */
import { type Clock, type KafkaLog, openKafkaLog } from '../../engine/index.ts'
import type { KafkaSettings } from '../config/kafka-settings.ts'

export function openKafka(
  { brokers, clientId, tls, sasl, replicas }: KafkaSettings,
  { clock, report }: { readonly clock: Clock; readonly report: (message: string, cause?: unknown) => void },
): KafkaLog {
  return openKafkaLog({
    brokers,
    clientId,
    ...(tls !== undefined && { tls }),
    ...(sasl && { sasl }),
    ...(replicas !== undefined && { replicationFactor: replicas }),
    clock,
    report,
  })
}
