// Before the first batch of a transaction reaches a partition here, the transaction's coordinator says that the partition is part of it:
// else a batch that comes late would open a transaction that nobody ends (KIP-890). Newer clients leave it to us to make it a part.
import type { ClusterImage } from '@faultline/controller'
import { partitionOf, type PartitionVerdict, type ProducerClaim } from '@faultline/coordinator'
import { addPartitionsToTxn, type ErrorCode, Errors } from '@faultline/protocol'
import type { BrokerChannel } from '../broker-channel.ts'
import { TRANSACTION_TOPIC } from './transaction-coordination.ts'

const VERSION = 5
const TIMEOUT_MS = 5000

/** What a client of some version expects of us, and which errors it understands. */
export type TransactionSupport = 'add' | 'abortable' | 'verify'

export interface TransactionVerifierOptions {
  readonly channel: BrokerChannel
  readonly image: () => ClusterImage
}

/** By topic. */
export type Partitions = ReadonlyMap<string, readonly number[]>

export class TransactionVerifier {
  readonly #o: TransactionVerifierOptions

  constructor(options: TransactionVerifierOptions) {
    this.#o = options
  }

  /** For each of the partitions NONE, or what the client is answered. */
  async verify(claim: ProducerClaim, partitions: Partitions, support: TransactionSupport): Promise<PartitionVerdict> {
    const errors = await this.#ask(claim, partitions, support)
    return (topic, partition) => errorFor(errors.get(`${topic}:${partition}`)!, support)
  }

  async #ask(claim: ProducerClaim, partitions: Partitions, support: TransactionSupport): Promise<Map<string, ErrorCode>> {
    const topics = [...partitions].map(([name, indexes]) => ({ name, partitions: indexes }))
    const all = (error: ErrorCode) =>
      new Map(topics.flatMap((t) => t.partitions.map((p): [string, ErrorCode] => [`${t.name}:${p}`, error])))
    const coordinator = this.#coordinatorOf(claim.transactionalId)
    if (coordinator === undefined) return all(Errors.COORDINATOR_NOT_AVAILABLE)
    const transactions = [{ ...claim, verifyOnly: support !== 'add', topics }]
    const response = await this.#o.channel.ask(coordinator, addPartitionsToTxn, VERSION, { transactions }, TIMEOUT_MS)
    if (!response) return all(Errors.NETWORK_EXCEPTION)
    if (response.errorCode !== Errors.NONE) return all(response.errorCode as ErrorCode)
    const found = all(Errors.UNKNOWN_SERVER_ERROR)
    for (const { name, resultsByPartition } of response.resultsByTransaction[0]?.topicResults ?? [])
      for (const result of resultsByPartition)
        found.set(`${name}:${result.partitionIndex}`, result.partitionErrorCode as ErrorCode)
    return found
  }

  #coordinatorOf(transactionalId: string): number | undefined {
    const topic = this.#o.image().topicsByName.get(TRANSACTION_TOPIC)
    const leader = topic?.partitions[partitionOf(transactionalId, topic.partitions.length)]!.leader ?? -1
    return leader < 0 ? undefined : leader
  }
}

/** In words that the client knows. */
function errorFor(error: ErrorCode, support: TransactionSupport): ErrorCode {
  switch (error) {
    case Errors.PRODUCER_FENCED:
      return Errors.INVALID_PRODUCER_EPOCH
    case Errors.TRANSACTION_ABORTABLE:
      return support === 'verify' ? Errors.INVALID_TXN_STATE : error
    default:
      return error
  }
}
