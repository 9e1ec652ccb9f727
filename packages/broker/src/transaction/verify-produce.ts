// The part of Produce that comes before the append of transactional batches: which of them open a transaction on their partition here, and
// whether they may (KIP-890).
import type { PartitionVerdict } from '@faultline/coordinator'
import type { VerificationGuard } from '@faultline/log'
import { type ErrorCode, Errors, type RecordBatch } from '@faultline/protocol'
import type { Broker } from '../broker.ts'
import type { Partitions, TransactionSupport } from './transaction-verifier.ts'

/** Since here a partition becomes part of the transaction by this alone. */
const ADDS_SINCE = 12
/** Since here clients know TRANSACTION_ABORTABLE. */
const ABORTABLE_SINCE = 11

export interface TransactionalBatch {
  readonly topic: string
  readonly index: number
  readonly batch: RecordBatch
}

export interface ProduceVerdict {
  /** Why the batch of a partition may not be appended, or NONE. */
  readonly error: PartitionVerdict
  /** To show to the partition's log, where it asked for a verification. */
  readonly guard: (topic: string, index: number) => VerificationGuard | undefined
}

/** Undefined when there is nothing to verify: the batches are appended at once. */
export function verifyProduce(
  broker: Broker,
  transactionalId: string,
  version: number,
  batches: readonly TransactionalBatch[],
): Promise<ProduceVerdict> | undefined {
  const support = supportOf(version)
  const guards = new Map<string, VerificationGuard>()
  const partitions = new Map<string, number[]>()
  for (const { topic, index, batch } of batches) {
    const partition = broker.replicas.byName(topic, index)
    if (!partition?.leads || (support !== 'add' && !partition.log.config.verifyTransactions)) continue
    const guard = partition.log.startVerification(batch, support === 'add')
    if (!guard) continue
    guards.set(`${topic}:${index}`, guard)
    partitions.set(topic, [...(partitions.get(topic) ?? []), index])
  }
  if (guards.size === 0) return undefined
  const [{ batch }] = batches as [TransactionalBatch]
  const claim = { transactionalId, producerId: batch.producerId, producerEpoch: batch.producerEpoch }
  return verdictOf(broker, claim, partitions, support, guards)
}

async function verdictOf(
  broker: Broker,
  claim: { readonly transactionalId: string; readonly producerId: number; readonly producerEpoch: number },
  partitions: Partitions,
  support: TransactionSupport,
  guards: ReadonlyMap<string, VerificationGuard>,
): Promise<ProduceVerdict> {
  const verdict = await broker.transactionVerifier.verify(claim, partitions, support)
  return {
    error: (topic, index) => (guards.has(`${topic}:${index}`) ? produceError(verdict(topic, index), support) : Errors.NONE),
    guard: (topic, index) => guards.get(`${topic}:${index}`),
  }
}

/** Producers know nothing of coordinators here; this they try again. */
function produceError(error: ErrorCode, support: TransactionSupport): ErrorCode {
  switch (error) {
    case Errors.CONCURRENT_TRANSACTIONS:
      return support === 'add' ? error : Errors.NOT_ENOUGH_REPLICAS
    case Errors.NETWORK_EXCEPTION:
    case Errors.COORDINATOR_LOAD_IN_PROGRESS:
    case Errors.COORDINATOR_NOT_AVAILABLE:
    case Errors.NOT_COORDINATOR:
      return Errors.NOT_ENOUGH_REPLICAS
    default:
      return error
  }
}

function supportOf(version: number): TransactionSupport {
  if (version >= ADDS_SINCE) return 'add'
  return version >= ABORTABLE_SINCE ? 'abortable' : 'verify'
}
