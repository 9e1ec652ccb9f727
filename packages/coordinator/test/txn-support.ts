// Positions in transactions, as a test commits and ends them.
import type { RequestInput, RequestOf, txnOffsetCommit } from '@faultline/protocol'
import { ZERO_UUID } from '@faultline/protocol'
import type { World } from './support.ts'
import type { Producer } from './transaction-support.ts'

interface CommitOptions extends Partial<RequestInput<typeof txnOffsetCommit>> {
  readonly partition?: number
}

/** The error of a commit to a partition of orders. */
export async function txnCommit(
  world: World,
  { producerId, producerEpoch }: Producer,
  committedOffset: number,
  { partition = 0, ...more }: CommitOptions = {},
): Promise<number> {
  const position = { partitionIndex: partition, committedOffset, committedLeaderEpoch: -1, committedMetadata: '' }
  const request = {
    transactionalId: 't',
    groupId: 'g',
    producerId,
    producerEpoch,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name: 'orders', topicId: ZERO_UUID, partitions: [position] }],
    ...more,
  }
  const client = { version: 5, clientId: 'c', clientHost: '/h' }
  const full = request as RequestOf<typeof txnOffsetCommit>
  const { topics } = await world.coordinator.commitTransactionalOffsets(full, client, undefined)
  return topics![0]!.partitions![0]!.errorCode!
}

/** The marker of the transaction arrives. */
export function endTransaction(world: World, { producerId, producerEpoch }: Producer, committed: boolean): Promise<number> {
  return world.coordinator.endTransaction(0, { producerId, producerEpoch, committed, coordinatorEpoch: 1, transactionVersion: 0 })
}
