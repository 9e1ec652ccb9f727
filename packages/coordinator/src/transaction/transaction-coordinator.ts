// The transaction coordinator as a broker's handlers see it: a method for each API. Transactional ids are spread over the partitions of
// __transaction_state; those whose partition is led elsewhere are answered with NOT_COORDINATOR.
import {
  type describeTransactions,
  type endTxn,
  type ErrorCode,
  Errors,
  type initProducerId,
  type listTransactions,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  type RequestOf,
  type ResponseInput,
} from '@faultline/protocol'
import { partitionOf } from '../partition-of.ts'
import { CoordinatorRuntime, type RuntimeOptions } from '../runtime/runtime.ts'
import { addPartitions, mayWait, type ProducerClaim, verifyPartitions } from './add-partitions.ts'
import type { MarkerWriter, ProducerIdSource, TransactionConfig } from './config.ts'
import {
  type DescribedTransaction,
  describeRefused,
  describeTransaction,
  type ListedTransaction,
  type ListRequest,
  listTransactionsOf,
  matcherOf,
  unknownStates,
} from './describe.ts'
import { endTransaction } from './end-transaction.ts'
import { afterEnding } from './ending.ts'
import { initTransactionalId } from './init-producer-id.ts'
import { NEEDS_PRODUCER_ID, type Outcome, refused, type Settled } from './outcome.ts'
import type { TransactionPartitions } from './transaction.ts'
import { TransactionShard } from './transaction-shard.ts'

export interface TransactionCoordinatorOptions extends Omit<RuntimeOptions<TransactionShard>, 'create'> {
  readonly config: TransactionConfig
  readonly markers: MarkerWriter
  readonly producerIds: ProducerIdSource
  /** Of __transaction_state; undefined while there is no such topic. */
  readonly partitions: () => number | undefined
}

type Step<T> = (shard: TransactionShard, answer: (value: T) => void) => void
/** Whether a partition is part of a transaction; the answer for each alike when nobody can tell. */
export type PartitionVerdict = (topic: string, partition: number) => ErrorCode

export class TransactionCoordinator {
  readonly runtime: CoordinatorRuntime<TransactionShard>
  readonly #config: TransactionConfig
  readonly #producerIds: ProducerIdSource
  readonly #partitions: () => number | undefined

  constructor(options: TransactionCoordinatorOptions) {
    this.#config = options.config
    this.#producerIds = options.producerIds
    this.#partitions = options.partitions
    this.runtime = new CoordinatorRuntime({ ...options, create: (context) => new TransactionShard(context, options) })
  }

  async initProducerId(request: RequestOf<typeof initProducerId>): Promise<Settled> {
    const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
    // Both or neither (KIP-360).
    if ((producerId === NO_PRODUCER_ID) !== (producerEpoch === NO_PRODUCER_EPOCH)) return refused(Errors.INVALID_REQUEST)
    if (transactionalId === '') return refused(Errors.INVALID_REQUEST)
    if (transactionalId === null) return this.#idempotent()
    if (transactionTimeoutMs <= 0 || transactionTimeoutMs > this.#config.maxTimeoutMs)
      return refused(Errors.INVALID_TRANSACTION_TIMEOUT)
    return this.#withProducerId(transactionalId, (shard, fresh) => initTransactionalId(shard, transactionalId, request, fresh))
  }

  async endTransaction(request: RequestOf<typeof endTxn>, version: number): Promise<Settled> {
    const { transactionalId } = request
    if (transactionalId === '') return refused(Errors.INVALID_REQUEST)
    return this.#withProducerId(transactionalId, (shard, fresh) => endTransaction(shard, request, version, fresh))
  }

  addPartitions(claim: ProducerClaim, partitions: TransactionPartitions, clientTransactionVersion: number): Promise<ErrorCode> {
    if (claim.transactionalId === '') return Promise.resolve(Errors.INVALID_REQUEST)
    const step: Step<ErrorCode> = (shard, answer) => {
      const add = () => answer(addPartitions(shard, claim, partitions, clientTransactionVersion))
      if (mayWait(shard, claim)) afterEnding(shard, claim.transactionalId, add)
      else add()
    }
    return this.#run(claim.transactionalId, step, (error) => error)
  }

  verifyPartitions(claim: ProducerClaim): Promise<PartitionVerdict> {
    const refuse =
      (error: ErrorCode): PartitionVerdict =>
      () =>
        error
    if (claim.transactionalId === '') return Promise.resolve(refuse(Errors.INVALID_REQUEST))
    return this.#run(claim.transactionalId, (shard, answer) => answer(verifyPartitions(shard, claim)), refuse)
  }

  async describeTransactions(
    request: RequestOf<typeof describeTransactions>,
  ): Promise<ResponseInput<typeof describeTransactions>> {
    const describeOne = (transactionalId: string) => {
      if (transactionalId === '') return Promise.resolve(describeRefused(transactionalId, Errors.INVALID_REQUEST))
      const step: Step<DescribedTransaction> = (shard, answer) => answer(describeTransaction(shard, transactionalId))
      return this.#run(transactionalId, step, (error) => describeRefused(transactionalId, error))
    }
    return { transactionStates: await Promise.all(request.transactionalIds.map(describeOne)) }
  }

  /** Of all partitions that are led here. One that is still loading makes the answer incomplete, and it says so. */
  async listTransactions(request: ListRequest): Promise<ResponseInput<typeof listTransactions>> {
    const matches = matcherOf(request)
    if (!matches) return { errorCode: Errors.INVALID_REGULAR_EXPRESSION }
    const listOne = (partition: number) => {
      const step: Step<Listed> = (shard, answer) =>
        answer({ error: Errors.NONE, found: listTransactionsOf(shard, request, matches) })
      return this.runtime.run(partition, step, (error): Listed => ({ error, found: [] }))
    }
    const all = await Promise.all(this.runtime.partitions.map(listOne))
    const failed = all.find((l) => l.error !== Errors.NONE && l.error !== Errors.NOT_COORDINATOR)
    if (failed) return { errorCode: failed.error }
    return { unknownStateFilters: unknownStates(request), transactionStates: all.flatMap((l) => l.found) }
  }

  async #idempotent(): Promise<Settled> {
    const producerId = await this.#producerIds.next()
    if (producerId === undefined) return refused(Errors.COORDINATOR_LOAD_IN_PROGRESS)
    return { error: Errors.NONE, producerId, producerEpoch: 0 }
  }

  /** A step that finds that it needs a new producer id is made again with one: between the two, anything may have happened. */
  async #withProducerId(
    transactionalId: string,
    step: (shard: TransactionShard, fresh: number | undefined) => Outcome,
  ): Promise<Settled> {
    let fresh: number | undefined
    for (;;) {
      const outcome = await this.#run<Outcome>(transactionalId, (shard, answer) => answer(step(shard, fresh)), refused)
      if (outcome !== NEEDS_PRODUCER_ID) return outcome
      fresh = await this.#producerIds.next()
      if (fresh === undefined) return refused(Errors.COORDINATOR_LOAD_IN_PROGRESS)
    }
  }

  /** The shard that a transactional id belongs to, if it is led here and loaded. For whoever looks, not for answers. */
  shardOf(transactionalId: string): TransactionShard | undefined {
    const partitions = this.#partitions()
    return partitions === undefined ? undefined : this.runtime.loadedOf(partitionOf(transactionalId, partitions))
  }

  #run<T>(transactionalId: string, step: Step<T>, failed: (error: ErrorCode) => T): Promise<T> {
    const partitions = this.#partitions()
    if (partitions === undefined) return Promise.resolve(failed(Errors.NOT_COORDINATOR))
    return this.runtime.run(partitionOf(transactionalId, partitions), step, failed)
  }
}

interface Listed {
  readonly error: ErrorCode
  readonly found: readonly ListedTransaction[]
}
