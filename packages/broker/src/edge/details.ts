// What matters of each request at the edge, and of its answer: the parts by which a history can be told afterwards. docs/internals/lab.md has the format.
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  type Api,
  consumerGroupHeartbeat,
  endTxn,
  fetch,
  heartbeat,
  initProducerId,
  joinGroup,
  leaveGroup,
  listOffsets,
  offsetCommit,
  offsetFetch,
  produce,
  type RequestOf,
  type ResponseInput,
  syncGroup,
  txnOffsetCommit,
} from '@faultline/protocol'
import { assigned, error, type NameOf, partitionsIn, rangeOf, type TopicNames, topicOf, writtenIn } from './parts.ts'

export interface Detail {
  /** It changes what others see: noted before it is acted on, so that it is known of even if this node ends in the middle of it. */
  readonly changes: boolean
  asked(request: object, nameOf: NameOf): object
  told(answer: object, nameOf: NameOf): object
}

interface Words<A extends Api> {
  readonly changes?: true
  asked(request: RequestOf<A>, nameOf: NameOf): object
  told(answer: ResponseInput<A>, nameOf: NameOf): object
}

function detail<A extends Api>(api: A, { changes, asked, told }: Words<A>): [number, Detail] {
  return [
    api.key,
    {
      changes: changes ?? false,
      asked: (request, nameOf) => asked(request as RequestOf<A>, nameOf),
      told: (answer, nameOf) => told(answer as ResponseInput<A>, nameOf),
    },
  ]
}

const justError = (answer: { errorCode?: number }) => error(answer.errorCode)

interface Committed {
  readonly topics?: readonly (TopicNames & { readonly partitions?: readonly Fetched[] })[]
}

const justErrors = ({ topics = [] }: Committed, nameOf: NameOf) => ({
  partitions: partitionsIn(
    topics,
    nameOf,
    (t) => t.partitions ?? [],
    (p) => [p.partitionIndex ?? 0, error(p.errorCode)],
  ),
})

const positions = (
  topics: readonly (TopicNames & { partitions: readonly { partitionIndex: number; committedOffset: number }[] })[],
  nameOf: NameOf,
) =>
  partitionsIn(
    topics,
    nameOf,
    (t) => t.partitions,
    (p) => [p.partitionIndex, { offset: p.committedOffset }],
  )

export const DETAILS: ReadonlyMap<number, Detail> = new Map([
  detail(produce, {
    changes: true,
    asked: ({ acks, transactionalId, topicData }, nameOf) => ({
      acks,
      ...(transactionalId === null ? {} : { transactionalId }),
      partitions: partitionsIn(
        topicData,
        nameOf,
        (t) => t.partitionData,
        (p) => [p.index, writtenIn(p.records)],
      ),
    }),
    told: ({ responses = [] }, nameOf) => ({
      partitions: partitionsIn(
        responses,
        nameOf,
        (t) => t.partitionResponses ?? [],
        (p) => [p.index ?? 0, { ...error(p.errorCode), offset: p.baseOffset ?? -1 }],
      ),
    }),
  }),
  detail(fetch, {
    asked: ({ isolationLevel, sessionId, topics }, nameOf) => ({
      isolation: isolationLevel === 1 ? 'read_committed' : 'read_uncommitted',
      session: sessionId,
      partitions: partitionsIn(
        topics,
        nameOf,
        (t) => t.partitions,
        (p) => [p.partition, { offset: p.fetchOffset }],
      ),
    }),
    told: ({ errorCode, responses = [] }, nameOf) => ({
      ...error(errorCode),
      partitions: partitionsIn(
        responses,
        nameOf,
        (t) => t.partitions ?? [],
        (p) => [p.partitionIndex ?? 0, { ...error(p.errorCode), ...rangeOf(p.records as readonly Uint8Array[] | null) }],
      ).filter((p) => 'error' in p || 'from' in p),
    }),
  }),
  detail(listOffsets, {
    asked: ({ topics }, nameOf) => ({
      partitions: partitionsIn(
        topics,
        nameOf,
        (t) => t.partitions,
        (p) => [p.partitionIndex, { timestamp: p.timestamp }],
      ),
    }),
    told: ({ topics = [] }, nameOf) => ({
      partitions: partitionsIn(
        topics,
        nameOf,
        (t) => t.partitions ?? [],
        (p) => [p.partitionIndex ?? 0, { ...error(p.errorCode), offset: p.offset ?? -1 }],
      ),
    }),
  }),
  detail(offsetCommit, {
    changes: true,
    asked: ({ groupId, generationIdOrMemberEpoch, memberId, topics }, nameOf) => ({
      group: groupId,
      generation: generationIdOrMemberEpoch,
      member: memberId,
      partitions: positions(topics, nameOf),
    }),
    told: justErrors,
  }),
  detail(offsetFetch, {
    asked: ({ groupId, groups }) => ({ groups: groups.length > 0 ? groups.map((g) => g.groupId) : [groupId] }),
    told: ({ errorCode, topics = [], groups = [] }, nameOf) => ({
      ...error(errorCode ?? groups.find((g) => g.errorCode)?.errorCode),
      partitions: [...topics, ...groups.flatMap((g) => g.topics ?? [])].flatMap(
        (t: TopicNames & { partitions?: readonly Fetched[] }) =>
          partitionsIn(
            [t],
            nameOf,
            (of) => of.partitions ?? [],
            (p) => [p.partitionIndex ?? 0, { ...error(p.errorCode), offset: p.committedOffset ?? -1 }],
          ),
      ),
    }),
  }),
  detail(joinGroup, {
    asked: ({ groupId, memberId, groupInstanceId }) => ({ group: groupId, member: memberId, ...instance(groupInstanceId) }),
    told: ({ errorCode, generationId, memberId, protocolName, leader }) => ({
      ...error(errorCode),
      generation: generationId,
      member: memberId,
      protocol: protocolName,
      leads: leader === memberId,
    }),
  }),
  detail(syncGroup, {
    asked: ({ groupId, generationId, memberId }) => ({ group: groupId, generation: generationId, member: memberId }),
    told: ({ errorCode, assignment }) => ({ ...error(errorCode), partitions: assigned(assignment as Uint8Array | undefined) }),
  }),
  detail(heartbeat, {
    asked: ({ groupId, generationId, memberId }) => ({ group: groupId, generation: generationId, member: memberId }),
    told: justError,
  }),
  detail(leaveGroup, {
    asked: ({ groupId, memberId, members }) => ({
      group: groupId,
      members: members.length > 0 ? members.map((m) => m.memberId || (m.groupInstanceId ?? '')) : [memberId],
    }),
    told: justError,
  }),
  detail(consumerGroupHeartbeat, {
    asked: ({ groupId, memberId, memberEpoch, instanceId, topicPartitions }, nameOf) => ({
      group: groupId,
      member: memberId,
      epoch: memberEpoch,
      ...instance(instanceId),
      ...(topicPartitions === null
        ? {}
        : {
            partitions: topicPartitions.flatMap((t) =>
              t.partitions.map((partition) => ({ topic: topicOf(t, nameOf), partition })),
            ),
          }),
    }),
    told: ({ errorCode, memberId, memberEpoch, assignment }, nameOf) => ({
      ...error(errorCode),
      member: memberId,
      epoch: memberEpoch,
      ...(assignment
        ? {
            partitions: (assignment.topicPartitions ?? []).flatMap((t) =>
              (t.partitions ?? []).map((partition) => ({ topic: topicOf(t, nameOf), partition })),
            ),
          }
        : {}),
    }),
  }),
  detail(initProducerId, {
    changes: true,
    asked: ({ transactionalId }) => ({ transactionalId }),
    told: ({ errorCode, producerId, producerEpoch }) => ({ ...error(errorCode), producer: producerId, epoch: producerEpoch }),
  }),
  detail(addPartitionsToTxn, {
    changes: true,
    asked: ({ v3AndBelowTransactionalId, v3AndBelowProducerId, v3AndBelowProducerEpoch, v3AndBelowTopics }) => ({
      transactionalId: v3AndBelowTransactionalId,
      producer: v3AndBelowProducerId,
      epoch: v3AndBelowProducerEpoch,
      partitions: v3AndBelowTopics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition }))),
    }),
    told: ({ errorCode, resultsByTopicV3AndBelow = [] }) => ({
      ...error(
        errorCode ||
          resultsByTopicV3AndBelow.flatMap((t) => t.resultsByPartition ?? []).find((p) => p.partitionErrorCode)
            ?.partitionErrorCode,
      ),
    }),
  }),
  detail(addOffsetsToTxn, {
    changes: true,
    asked: ({ transactionalId, producerId, producerEpoch, groupId }) => ({
      transactionalId,
      producer: producerId,
      epoch: producerEpoch,
      group: groupId,
    }),
    told: justError,
  }),
  detail(endTxn, {
    changes: true,
    asked: ({ transactionalId, producerId, producerEpoch, committed }) => ({
      transactionalId,
      producer: producerId,
      epoch: producerEpoch,
      committed,
    }),
    told: justError,
  }),
  detail(txnOffsetCommit, {
    changes: true,
    asked: ({ transactionalId, groupId, producerId, producerEpoch, generationIdOrMemberEpoch, memberId, topics }, nameOf) => ({
      transactionalId,
      producer: producerId,
      epoch: producerEpoch,
      group: groupId,
      generation: generationIdOrMemberEpoch,
      member: memberId,
      partitions: positions(topics, nameOf),
    }),
    told: justErrors,
  }),
])

interface Fetched {
  readonly partitionIndex?: number
  readonly committedOffset?: number
  readonly errorCode?: number
}

function instance(id: string | null): object {
  return id === null ? {} : { instance: id }
}
