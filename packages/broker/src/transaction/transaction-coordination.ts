// The transaction coordinator in this broker: it follows the leaderships of __transaction_state.
import type { Clock, EventSink, Random } from '@faultline/base'
import { type ClusterImage, serverNumber, type StaticConfigs } from '@faultline/controller'
import { type MarkerWriter, type ProducerIdSource, TransactionCoordinator } from '@faultline/coordinator'
import { CoordinatedTopic } from '../coordinator/coordinated-topic.ts'
import type { Partition } from '../replica/partition.ts'

export const TRANSACTION_TOPIC = '__transaction_state'

/** How long an answer may wait for its record to commit. */
const COMMIT_TIMEOUT_MS = 5000

export interface TransactionCoordinationOptions {
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly statics: StaticConfigs
  readonly image: () => ClusterImage
  readonly markers: MarkerWriter
  readonly producerIds: ProducerIdSource
}

export class TransactionCoordination {
  readonly coordinator: TransactionCoordinator
  readonly #topic: CoordinatedTopic

  constructor(options: TransactionCoordinationOptions) {
    const { clock, random, events, statics, image, markers, producerIds } = options
    const number = (name: string) => serverNumber(statics, name)
    this.coordinator = new TransactionCoordinator({
      clock,
      random,
      events,
      markers,
      producerIds,
      commitTimeoutMs: COMMIT_TIMEOUT_MS,
      config: {
        maxTimeoutMs: number('transaction.max.timeout.ms'),
        abortCheckMs: number('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
        expirationMs: number('transactional.id.expiration.ms'),
        expirationCheckMs: number('transaction.remove.expired.transaction.cleanup.interval.ms'),
      },
      partitions: () => image().topicsByName.get(TRANSACTION_TOPIC)?.partitions.length,
    })
    this.#topic = new CoordinatedTopic(TRANSACTION_TOPIC, this.coordinator.runtime, clock)
  }

  onLeadership(partition: Partition, leads: boolean): void {
    this.#topic.onLeadership(partition, leads)
  }

  stop(): void {
    this.#topic.stop()
  }
}
