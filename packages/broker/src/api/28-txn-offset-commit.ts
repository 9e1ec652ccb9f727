// TxnOffsetCommit: a group's positions as part of a transaction, in the group's own partition.
import { partitionOf } from '@faultline/coordinator'
import { type ErrorCode, Errors, NO_SEQUENCE, type RequestOf, txnOffsetCommit } from '@faultline/protocol'
import { GROUP_TOPIC } from '../coordinator/group-coordination.ts'
import { groupClient } from '../coordinator/group-client.ts'
import type { TransactionSupport } from '../transaction/transaction-verifier.ts'
import { handler, type RequestContext } from './handler.ts'

type Request = RequestOf<typeof txnOffsetCommit>

/** Since here the group's partition becomes part of the transaction by this alone (KIP-890). */
const ADDS_SINCE = 5
/** Since here clients know TRANSACTION_ABORTABLE. */
const ABORTABLE_SINCE = 4
/** Before, clients did not know COORDINATOR_LOAD_IN_PROGRESS here. */
const LOADING_SINCE = 2

export const txnOffsetCommitHandler = handler(txnOffsetCommit, async (request, context) => {
  const { broker, version } = context
  const { error, guard } = await verify(request, context)
  if (error !== Errors.NONE) return refused(request, error)
  const answer = await broker.groups.coordinator.commitTransactionalOffsets(request, groupClient(context), guard)
  if (version >= LOADING_SINCE) return answer
  for (const { partitions } of answer.topics ?? [])
    for (const p of partitions ?? [])
      if (p.errorCode === Errors.COORDINATOR_LOAD_IN_PROGRESS)
        (p as { errorCode: ErrorCode }).errorCode = Errors.COORDINATOR_NOT_AVAILABLE
  return answer
})

interface Verified {
  readonly error: ErrorCode
  readonly guard?: object | undefined
}

/** The transaction's coordinator vouches for the group's partition, unless the transaction is open there already. */
async function verify(request: Request, { broker, version }: RequestContext): Promise<Verified> {
  const { transactionalId, producerId, producerEpoch, groupId } = request
  const count = broker.image.topicsByName.get(GROUP_TOPIC)?.partitions.length
  const index = count === undefined ? 0 : partitionOf(groupId, count)
  const partition = broker.replicas.byName(GROUP_TOPIC, index)
  // Who coordinates the group says so better.
  if (!partition?.leads || groupId === '') return { error: Errors.NONE }
  const support = supportOf(version)
  if (support !== 'add' && !partition.log.config.verifyTransactions) return { error: Errors.NONE }
  const guard = partition.log.startVerification({ producerId, producerEpoch, baseSequence: NO_SEQUENCE }, support === 'add')
  if (!guard) return { error: Errors.NONE }
  const claim = { transactionalId, producerId, producerEpoch }
  const verdict = await broker.transactionVerifier.verify(claim, new Map([[GROUP_TOPIC, [index]]]), support)
  const error = verdict(GROUP_TOPIC, index)
  return { error: error === Errors.NETWORK_EXCEPTION ? Errors.COORDINATOR_LOAD_IN_PROGRESS : error, guard }
}

function supportOf(version: number): TransactionSupport {
  if (version >= ADDS_SINCE) return 'add'
  return version >= ABORTABLE_SINCE ? 'abortable' : 'verify'
}

function refused({ topics }: Request, errorCode: ErrorCode) {
  return {
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}
