// A transactional producer, one request at a time, in both versions of the protocol: the older one names each partition to its coordinator
// before it writes there; since KIP-890 writing is enough, and each transaction has an epoch of its own.
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  type Api,
  buildBatch,
  endTxn,
  errorName,
  Errors,
  initProducerId,
  produce,
  type ResponseOf,
  txnOffsetCommit,
} from '@faultline/protocol'
import { askCoordinator, askLeader, type Asking } from './ask.ts'
import type { ClusterClient } from './cluster-client.ts'

export interface TransactionalOptions {
  readonly client: ClusterClient
  readonly transactionalId: string
  readonly timeoutMs: number
  /** transaction.version as the client speaks it. */
  readonly version: 1 | 2
  /** True when whoever drives it is gone: what is under way is not tried again. */
  readonly abandoned: () => boolean
}

/** An answer after which the transaction cannot be committed: it is to be aborted, or the producer has been replaced. */
export class TransactionRefused extends Error {
  override readonly name = 'TransactionRefused'
  readonly code: number
  constructor(what: string, code: number) {
    super(`${what}: ${errorName(code)}`)
    this.code = code
  }
}

const PRODUCE_TIMEOUT_MS = 5000

export class TransactionalProducer {
  readonly #o: TransactionalOptions
  readonly #added = new Set<string>()
  readonly #sequences = new Map<string, number>()
  #producerId = -1
  #epoch = -1

  constructor(options: TransactionalOptions) {
    this.#o = options
  }

  /** Takes the transactional id over: whatever an earlier owner has open is aborted. */
  async start(): Promise<void> {
    const { transactionalId, timeoutMs: transactionTimeoutMs } = this.#o
    const request = { transactionalId, transactionTimeoutMs }
    const { errorCode, producerId, producerEpoch } = await askCoordinator(
      'transaction',
      transactionalId,
      this.#asking(initProducerId, 5, request, (r) => r.errorCode),
    )
    accept('InitProducerId', errorCode)
    this.#producerId = producerId
    this.#epoch = producerEpoch
    this.#sequences.clear()
    this.#added.clear()
  }

  /** The offset of the first. */
  async send(topic: string, partition: number, values: readonly Uint8Array[]): Promise<number> {
    const { client, transactionalId, version } = this.#o
    const key = `${topic}:${partition}`
    if (version === 1 && !this.#added.has(key)) await this.#addPartition(topic, partition)
    this.#added.add(key)
    const baseSequence = this.#sequences.get(key) ?? 0
    const timestamp = client.clock.wall()
    const records = buildBatch(
      values.map((value) => ({ key: null, value, timestamp })),
      { producerId: this.#producerId, producerEpoch: this.#epoch, baseSequence, transactional: true },
    )
    const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }]
    const request = { transactionalId, acks: -1, timeoutMs: PRODUCE_TIMEOUT_MS, topicData }
    const resultOf = (r: ResponseOf<typeof produce>) => r.responses[0]!.partitionResponses[0]!
    const errorOf = (r: ResponseOf<typeof produce>) => resultOf(r).errorCode
    const response = await askLeader(topic, partition, this.#asking(produce, version === 2 ? 12 : 11, request, errorOf))
    accept('Produce', errorOf(response))
    this.#sequences.set(key, baseSequence + values.length)
    return resultOf(response).baseOffset
  }

  async #addPartition(topic: string, partition: number): Promise<void> {
    const { transactionalId } = this.#o
    const request = {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: this.#producerId,
      v3AndBelowProducerEpoch: this.#epoch,
      v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
    }
    const errorOf = (r: { resultsByTopicV3AndBelow: { resultsByPartition: { partitionErrorCode: number }[] }[] }) =>
      r.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
    const asking = this.#asking(addPartitionsToTxn, 3, request, errorOf)
    accept('AddPartitionsToTxn', errorOf(await askCoordinator('transaction', transactionalId, asking)))
  }

  /** The group's next offset in each partition of `topic`, as part of the transaction. */
  async commitOffsets(groupId: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const { transactionalId, version } = this.#o
    const producer = { transactionalId, producerId: this.#producerId, producerEpoch: this.#epoch, groupId }
    if (version === 1) {
      const asking = this.#asking(addOffsetsToTxn, 3, producer, (r) => r.errorCode)
      accept('AddOffsetsToTxn', (await askCoordinator('transaction', transactionalId, asking)).errorCode)
    }
    const partitions = [...offsets].map(([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedMetadata: '',
    }))
    const request = { ...producer, topics: [{ name: topic, partitions }] }
    const errorOf = (r: { topics: { partitions: { errorCode: number }[] }[] }) => r.topics[0]!.partitions[0]!.errorCode
    const asking = this.#asking(txnOffsetCommit, version === 2 ? 5 : 4, request, errorOf)
    accept('TxnOffsetCommit', errorOf(await askCoordinator('group', groupId, asking)))
    this.#added.add(groupId)
  }

  async end(committed: boolean): Promise<void> {
    const { transactionalId, version } = this.#o
    // Nothing was written: the older protocol has no transaction to end then.
    if (version === 1 && this.#added.size === 0) return
    const request = { transactionalId, producerId: this.#producerId, producerEpoch: this.#epoch, committed }
    const asking = this.#asking(endTxn, version === 2 ? 5 : 4, request, (r) => r.errorCode)
    const { errorCode, producerId, producerEpoch } = await askCoordinator('transaction', transactionalId, asking)
    accept('EndTxn', errorCode)
    this.#added.clear()
    if (version === 1) return
    this.#producerId = producerId
    this.#epoch = producerEpoch
    this.#sequences.clear()
  }

  #asking<A extends Api>(api: A, version: number, request: Asking<A>['request'], errorOf: Asking<A>['errorOf']): Asking<A> {
    return { client: this.#o.client, api, version, request, errorOf, abandoned: this.#o.abandoned }
  }
}

function accept(what: string, code: number): void {
  if (code !== Errors.NONE) throw new TransactionRefused(what, code)
}
