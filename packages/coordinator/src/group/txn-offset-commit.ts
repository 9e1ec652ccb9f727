// TxnOffsetCommit: positions that count when the transaction commits.
import { type RequestOf, type ResponseInput, type txnOffsetCommit } from '@faultline/protocol'
import { checkTransactionalConsumerCommit, committedPartitions } from '../consumer-group/check-offsets.ts'
import { checkTransactionalCommit } from './check-commit.ts'
import type { GroupClient } from './config.ts'
import type { GroupShard } from './group-shard.ts'
import { planCommit } from './offset-commit.ts'

export type TransactionalCommitRequest = RequestOf<typeof txnOffsetCommit>

/** Since here topics come by id. */
const TOPIC_IDS_SINCE = 6

export function commitInTransaction(
  shard: GroupShard,
  request: TransactionalCommitRequest,
  client: GroupClient,
  guard: object | undefined,
): ResponseInput<typeof txnOffsetCommit> {
  const { producerId, producerEpoch } = request
  const byId = client.version >= TOPIC_IDS_SINCE
  const consumer = shard.consumerGroups.get(request.groupId)
  const refused = consumer
    ? checkTransactionalConsumerCommit(consumer, request, committedPartitions(shard, request.topics, byId))
    : checkTransactionalCommit(shard.groups.get(request.groupId), request)
  const plan = planCommit(shard, request, { byId, refused, expireTimestamp: -1 })
  return plan.written((records) => shard.context.append(records, { producerId, producerEpoch, guard }))
}
