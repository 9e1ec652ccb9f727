// A transactional client that says what a test wants said, on a cluster in the simulator.
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  batchSizeAt,
  buildBatch,
  describeTransactions,
  endTxn,
  Errors,
  findCoordinator,
  initProducerId,
  isBatchProblem,
  listOffsets,
  offsetFetch,
  produce,
  readEndTransactionMarker,
  RecordBatch,
  type RequestInput,
  txnOffsetCommit,
  writeTxnMarkers,
  ZERO_UUID,
} from '@faultline/protocol'
import { Scene, type SceneOptions } from './scene.ts'

export interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

interface Written {
  readonly topic?: string
  readonly partition?: number
  readonly version?: number
  readonly transactional?: boolean
  readonly transactionalId?: string | null
  readonly records?: number
}

export class TransactionScene {
  readonly scene: Scene
  transactionalId = 't'

  /** With topic `a` of two partitions, and coordinators that are ready. */
  static async start(options: SceneOptions = {}): Promise<TransactionScene> {
    const { brokers = 1, settings = {} } = options
    const replicas = String(Math.min(brokers, 3))
    const internal = {
      'offsets.topic.replication.factor': replicas,
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': '1',
    }
    const one = new TransactionScene(await Scene.start({ ...options, settings: { ...internal, ...settings } }))
    await one.scene.createTopic('a', 2, Number(replicas))
    for (const type of [0, 1]) await one.until(async () => (await one.coordinator(type, 't')) >= 0)
    return one
  }

  private constructor(scene: Scene) {
    this.scene = scene
  }

  async until(condition: () => Promise<boolean>): Promise<void> {
    for (let i = 0; !(await condition()); i++) {
      if (i === 200) throw new Error('it never came')
      await this.scene.pass(50)
    }
  }

  async coordinator(keyType: number, key: string, askedOf = 1): Promise<number> {
    const { coordinators } = await this.scene.ask(findCoordinator, 4, { keyType, coordinatorKeys: [key] }, askedOf)
    return coordinators[0]!.errorCode === Errors.NONE ? coordinators[0]!.nodeId : -1
  }

  /** Comes again while the transaction before is ended. */
  async init(more: Partial<RequestInput<typeof initProducerId>> = {}, broker = 1): Promise<Producer> {
    let answer = await this.initOnce(more, 5, broker)
    await this.until(async () => {
      if (answer.errorCode !== Errors.CONCURRENT_TRANSACTIONS) return true
      answer = await this.initOnce(more, 5, broker)
      return answer.errorCode === Errors.NONE
    })
    if (answer.errorCode !== Errors.NONE) throw new Error(`InitProducerId: ${answer.errorCode}`)
    return answer
  }

  initOnce(more: Partial<RequestInput<typeof initProducerId>> = {}, version = 5, broker = 1) {
    const { transactionalId } = this
    return this.scene.ask(initProducerId, version, { transactionalId, transactionTimeoutMs: 60_000, ...more }, broker)
  }

  /** The errors, in the order of `topics`. */
  async add(
    { producerId, producerEpoch }: Producer,
    topics: Record<string, number[]>,
    version = 3,
    broker = 1,
  ): Promise<number[]> {
    const request = {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: Object.entries(topics).map(([name, partitions]) => ({ name, partitions })),
    }
    const answer = await this.scene.ask(addPartitionsToTxn, version, request, broker)
    return answer.resultsByTopicV3AndBelow.flatMap((t) => t.resultsByPartition.map((p) => p.partitionErrorCode))
  }

  async addOffsets({ producerId, producerEpoch }: Producer, groupId = 'g', version = 4): Promise<number> {
    const { transactionalId } = this
    return (await this.scene.ask(addOffsetsToTxn, version, { transactionalId, producerId, producerEpoch, groupId })).errorCode
  }

  /** One batch of one record, unless told otherwise. */
  async produce({ producerId, producerEpoch }: Producer, baseSequence: number, options: Written = {}) {
    const { topic = 'a', partition = 0, version = 11, transactional = true, records = 1 } = options
    const values = Array.from({ length: records }, (_, i) => ({
      key: null,
      value: Buffer.from(`${baseSequence + i}`),
      timestamp: 1,
    }))
    const batch = buildBatch(values, { producerId, producerEpoch, baseSequence, transactional })
    const transactionalId = options.transactionalId === undefined ? this.transactionalId : options.transactionalId
    const topicData = [{ name: topic, partitionData: [{ index: partition, records: batch }] }]
    const request = { transactionalId, acks: -1, timeoutMs: 5000, topicData }
    const { responses } = await this.scene.ask(produce, version, request, this.scene.leaderOf(topic, partition))
    const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
    return errorCode === Errors.NONE ? { at: baseOffset } : { error: errorCode }
  }

  end({ producerId, producerEpoch }: Producer, committed: boolean, version = 4, broker = 1) {
    const { transactionalId } = this
    return this.scene.ask(endTxn, version, { transactionalId, producerId, producerEpoch, committed }, broker)
  }

  /** And waits until all markers are written. */
  async endAll(producer: Producer, committed: boolean, version = 4): Promise<Producer> {
    const answer = await this.end(producer, committed, version)
    if (answer.errorCode !== Errors.NONE) throw new Error(`EndTxn: ${answer.errorCode}`)
    await this.until(async () => !(await this.describe()).transactionState.startsWith('Prepare'))
    return version >= 5 ? answer : producer
  }

  async describe(broker = 1) {
    const request = { transactionalIds: [this.transactionalId] }
    return (await this.scene.ask(describeTransactions, 0, request, broker)).transactionStates[0]!
  }

  /** As one who reads what is committed sees the partition. */
  async fetch(offset = 0, isolationLevel = 1, partition = 0) {
    const { errorCode, highWatermark, lastStableOffset, abortedTransactions, records } = await this.scene.fetch(
      'a',
      offset,
      { isolationLevel },
      partition,
    )
    return {
      ...(errorCode === Errors.NONE ? {} : { errorCode }),
      highWatermark,
      lastStableOffset,
      aborted: abortedTransactions?.map((t) => [t.producerId, t.firstOffset]) ?? null,
      batches: describeBatches(records),
    }
  }

  /** Where the partition ends for one who reads everything, and for one who reads what is committed. */
  async ends(partition = 0): Promise<[number, number]> {
    const end = async (isolationLevel: number) => {
      const topics = [{ name: 'a', partitions: [{ partitionIndex: partition, timestamp: -1 }] }]
      const request = { replicaId: -1, isolationLevel, topics }
      return (await this.scene.ask(listOffsets, 7, request, this.scene.leaderOf('a', partition))).topics[0]!.partitions[0]!.offset
    }
    return [await end(0), await end(1)]
  }

  async commitOffset(
    { producerId, producerEpoch }: Producer,
    committedOffset: number,
    version = 4,
    more: Partial<RequestInput<typeof txnOffsetCommit>> = {},
  ): Promise<number> {
    const position = { partitionIndex: 0, committedOffset, committedMetadata: '' }
    const topics = [{ name: 'a', partitions: [position] }]
    const { transactionalId } = this
    const request = { transactionalId, groupId: 'g', producerId, producerEpoch, topics, ...more }
    return (await this.scene.ask(txnOffsetCommit, version, request)).topics[0]!.partitions[0]!.errorCode
  }

  /** The position of a-0. */
  async position(requireStable: boolean): Promise<{ at: number } | { error: number }> {
    const groups = [{ groupId: 'g', topics: [{ name: 'a', topicId: ZERO_UUID, partitionIndexes: [0] }] }]
    const answer = await this.scene.ask(offsetFetch, 9, { groups, requireStable })
    const { errorCode, committedOffset } = answer.groups[0]!.topics[0]!.partitions[0]!
    return errorCode === Errors.NONE ? { at: committedOffset } : { error: errorCode }
  }

  /** "pid topic-partition error", in short. */
  async mark(markers: RequestInput<typeof writeTxnMarkers>['markers'], version = 2): Promise<string[]> {
    const answer = await this.scene.ask(writeTxnMarkers, version, { markers })
    return answer.markers.flatMap(({ producerId, topics }) =>
      topics.flatMap(({ name, partitions }) => partitions.map((p) => `${producerId} ${name}-${p.partitionIndex} ${p.errorCode}`)),
    )
  }
}

/** "offset producer/epoch", with t for a transaction's and the kind of a marker. */
export function describeBatches(bytes: Uint8Array | null): string[] {
  const batches: string[] = []
  for (let at = 0; bytes !== null && at < bytes.length;) {
    const size = batchSizeAt(bytes, at)
    if (typeof size !== 'number' || at + size > bytes.length) break
    const batch = new RecordBatch(bytes, at)
    const marker = batch.isControl ? readEndTransactionMarker(batch) : undefined
    const kind = marker !== undefined && !isBatchProblem(marker) ? ` ${marker.result}` : batch.isTransactional ? ' t' : ''
    batches.push(`${batch.baseOffset} ${batch.producerId}/${batch.producerEpoch}${kind}`)
    at += size
  }
  return batches
}
