// EndTxn: commit or abort. What a repeated request hears depends on whether epochs go up with each transaction (KIP-890): then the epoch
// tells a retry from the end of the next transaction.
import { type endTxn, type ErrorCode, Errors, NO_PRODUCER_ID, type RequestOf } from '@faultline/protocol'
import { prepareEnd } from './ending.ts'
import { NEEDS_PRODUCER_ID, type Outcome, refused } from './outcome.ts'
import { isEpochExhausted, isPreparing, MAX_EPOCH, type Transaction, TRANSACTION_V2 } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'

type EndRequest = RequestOf<typeof endTxn>

/** Since here the epoch goes up with the end, and the answer carries it. */
const EPOCH_BUMP_SINCE = 5

export function endTransaction(
  shard: TransactionShard,
  request: EndRequest,
  version: number,
  freshProducerId: number | undefined,
): Outcome {
  const transaction = shard.transactions.get(request.transactionalId)
  if (!transaction) return refused(Errors.INVALID_PRODUCER_ID_MAPPING)
  const bumps = version >= EPOCH_BUMP_SINCE
  const verdict = bumps ? judgeBumping(transaction, request) : judge(transaction, request)
  // Said before already: the producer learns what it would have learnt then.
  if (verdict === Errors.NONE) return settled(transaction)
  if (verdict !== 'end') return refused(verdict)
  if (bumps && isEpochExhausted(transaction.producerEpoch) && freshProducerId === undefined) return NEEDS_PRODUCER_ID
  const decision = { committed: request.committed, version: bumps ? TRANSACTION_V2 : 0, freshProducerId }
  const error = prepareEnd(shard, transaction, decision)
  return error === Errors.NONE ? settled(shard.transactions.get(request.transactionalId)!) : refused(error)
}

/** What the producer goes on with. */
function settled({ producerId, producerEpoch, nextProducerId }: Transaction): Outcome {
  if (nextProducerId !== NO_PRODUCER_ID) return { error: Errors.NONE, producerId: nextProducerId, producerEpoch: 0 }
  return { error: Errors.NONE, producerId, producerEpoch }
}

/** Does the transaction end now ('end'), did it already (NONE), or what is wrong? */
type Verdict = 'end' | ErrorCode

function judge({ producerId, producerEpoch, state }: Transaction, request: EndRequest): Verdict {
  if (request.producerId !== producerId) return Errors.INVALID_PRODUCER_ID_MAPPING
  if (request.producerEpoch !== producerEpoch) return Errors.PRODUCER_FENCED
  switch (state) {
    case 'Ongoing':
      return 'end'
    case 'CompleteCommit':
      return request.committed ? Errors.NONE : Errors.INVALID_TXN_STATE
    case 'CompleteAbort':
      return request.committed ? Errors.INVALID_TXN_STATE : Errors.NONE
    case 'PrepareCommit':
    case 'PrepareAbort':
      return Errors.CONCURRENT_TRANSACTIONS
    case 'Empty':
      return Errors.INVALID_TXN_STATE
  }
}

function judgeBumping(transaction: Transaction, request: EndRequest): Verdict {
  const { producerId, producerEpoch, previousProducerId, state } = transaction
  const { committed } = request
  const overflowed = request.producerId === previousProducerId && request.producerEpoch === MAX_EPOCH - 1 && producerEpoch === 0
  // Whoever it is: nothing is said before the transaction has ended.
  if (isPreparing(transaction)) return Errors.CONCURRENT_TRANSACTIONS
  const isRetry = overflowed || producerEpoch === request.producerEpoch + 1
  if (request.producerId !== producerId && !overflowed) return Errors.INVALID_PRODUCER_ID_MAPPING
  const isCurrent = request.producerEpoch === producerEpoch
  switch (state) {
    case 'Ongoing':
      return isCurrent ? 'end' : Errors.PRODUCER_FENCED
    case 'Empty':
      if (!isCurrent) return Errors.PRODUCER_FENCED
      return committed ? Errors.INVALID_TXN_STATE : 'end'
    default:
      if (!isRetry && !isCurrent) return Errors.PRODUCER_FENCED
      if (isRetry) return committed === (state === 'CompleteCommit') ? Errors.NONE : Errors.INVALID_TXN_STATE
      // The next transaction, of which nothing has arrived here: there is nothing to commit, but an abort makes sure.
      return committed ? Errors.INVALID_TXN_STATE : 'end'
  }
}
