// The way of transaction markers to the leaders of their partitions: those that go to one broker at one time go in one request.
import type { ClusterImage } from '@faultline/controller'
import { type MarkerResult, type MarkerWriter, PARTITION_GONE, type TransactionEnd } from '@faultline/coordinator'
import { type ErrorCode, Errors, type RequestInput, type ResponseOf, writeTxnMarkers } from '@faultline/protocol'
import type { BrokerChannel } from '../broker-channel.ts'

const VERSION = 2
const TIMEOUT_MS = 5000

interface Queued {
  readonly end: TransactionEnd
  readonly topic: string
  readonly partition: number
  readonly done: (result: MarkerResult) => void
}

export class MarkerChannel implements MarkerWriter {
  readonly #channel: BrokerChannel
  readonly #image: () => ClusterImage
  /** By the broker that leads the partition. */
  readonly #queued = new Map<number, Queued[]>()

  constructor(channel: BrokerChannel, image: () => ClusterImage) {
    this.#channel = channel
    this.#image = image
  }

  write(end: TransactionEnd, topic: string, partition: number, done: (result: MarkerResult) => void): void {
    const state = this.#image().topicsByName.get(topic)?.partitions[partition]
    if (!state) return done(PARTITION_GONE)
    if (state.leader < 0) return done(Errors.NOT_LEADER_OR_FOLLOWER)
    const queue = this.#queued.get(state.leader)
    if (queue) queue.push({ end, topic, partition, done })
    else {
      this.#queued.set(state.leader, [{ end, topic, partition, done }])
      // When this step is over, all that it wants to write is there.
      void Promise.resolve().then(() => this.#send(state.leader))
    }
  }

  async #send(broker: number): Promise<void> {
    const queued = this.#queued.get(broker)!
    this.#queued.delete(broker)
    const response = await this.#channel.ask(broker, writeTxnMarkers, VERSION, requestOf(queued), TIMEOUT_MS)
    const results = response && resultsOf(response)
    for (const { end, topic, partition, done } of queued)
      done(results?.get(`${end.producerId}:${topic}:${partition}`) ?? Errors.NETWORK_EXCEPTION)
  }
}

function requestOf(queued: readonly Queued[]): RequestInput<typeof writeTxnMarkers> {
  const ends = groupByEnd(queued)
  return {
    markers: [...ends].map(([end, all]) => {
      const topics = new Map<string, number[]>()
      for (const { topic, partition } of all) topics.set(topic, [...(topics.get(topic) ?? []), partition])
      return {
        producerId: end.producerId,
        producerEpoch: end.producerEpoch,
        transactionResult: end.committed,
        coordinatorEpoch: end.coordinatorEpoch,
        transactionVersion: end.transactionVersion,
        topics: [...topics].map(([name, partitionIndexes]) => ({ name, partitionIndexes })),
      }
    }),
  }
}

function groupByEnd(queued: readonly Queued[]): Map<TransactionEnd, Queued[]> {
  const ends = new Map<TransactionEnd, Queued[]>()
  for (const q of queued) {
    const same = ends.get(q.end)
    if (same) same.push(q)
    else ends.set(q.end, [q])
  }
  return ends
}

function resultsOf({ markers }: ResponseOf<typeof writeTxnMarkers>): Map<string, ErrorCode> {
  const results = new Map<string, ErrorCode>()
  for (const { producerId, topics } of markers)
    for (const { name, partitions } of topics)
      for (const { partitionIndex, errorCode } of partitions)
        results.set(`${producerId}:${name}:${partitionIndex}`, errorCode as ErrorCode)
  return results
}
