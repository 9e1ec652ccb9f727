// The group coordinator as a broker's handlers see it: a method for each API. Groups are spread over the partitions of __consumer_offsets;
// those whose partition is led elsewhere are answered with NOT_COORDINATOR.
import {
  type consumerGroupDescribe,
  type consumerGroupHeartbeat,
  type deleteGroups,
  type describeGroups,
  Errors,
  type ErrorCode,
  type heartbeat,
  type joinGroup,
  type leaveGroup,
  type listGroups,
  type offsetCommit,
  type offsetDelete,
  type offsetFetch,
  type RequestOf,
  type ResponseInput,
  type syncGroup,
  type txnOffsetCommit,
} from '@faultline/protocol'
import { checkHeartbeat } from '../consumer-group/check-heartbeat.ts'
import { joinConsumerGroup } from '../consumer-group/classic-join.ts'
import { beatConsumerGroup, leaveAsClassic, syncConsumerGroup } from '../consumer-group/classic-rebalance.ts'
import { type DescribedConsumerGroup, describeConsumerGroup, describeConsumerRefused } from '../consumer-group/describe.ts'
import { consumerHeartbeat, type HeartbeatAnswer } from '../consumer-group/heartbeat.ts'
import { topicsChanged } from '../consumer-group/topics-changed.ts'
import { partitionOf } from '../partition-of.ts'
import type { TransactionEnd } from '../runtime/ports.ts'
import { CoordinatorRuntime, type RuntimeOptions } from '../runtime/runtime.ts'
import type { GroupClient, GroupConfig, Topics } from './config.ts'
import { deleteGroup } from './delete-group.ts'
import { type DescribedGroup, describeGroup, describeRefused, type ListedGroup, listedGroups } from './describe.ts'
import { GroupShard } from './group-shard.ts'
import { beat } from './heartbeat.ts'
import { checkSessionTimeout, join, refusal } from './join.ts'
import { leave, type Leaving } from './leave.ts'
import type { JoinAnswer, SyncAnswer } from './member.ts'
import { commit, commitRefused } from './offset-commit.ts'
import { deleteOffsets, forgetTopics } from './offset-delete.ts'
import { fetchAnswer, type FetchedGroup, type FetchGroup, fetchOffsets, fetchRefused, groupsOf } from './offset-fetch.ts'
import { sync } from './sync.ts'
import { commitInTransaction, type TransactionalCommitRequest } from './txn-offset-commit.ts'

export interface GroupCoordinatorOptions extends Omit<RuntimeOptions<GroupShard>, 'create'> {
  readonly config: GroupConfig
  readonly topics: Topics
  /** Of __consumer_offsets; undefined while there is no such topic. */
  readonly partitions: () => number | undefined
}

/** Since here a join that fails names no protocol at all, instead of one without a name. */
const NO_PROTOCOL_SINCE = 7
/** Since here several members leave at once. */
const LEAVE_SEVERAL_SINCE = 3

export class GroupCoordinator {
  readonly runtime: CoordinatorRuntime<GroupShard>
  readonly #config: GroupConfig
  readonly #partitions: () => number | undefined

  constructor(options: GroupCoordinatorOptions) {
    const { config, topics } = options
    this.#config = config
    this.#partitions = options.partitions
    this.runtime = new CoordinatorRuntime({ ...options, create: (context) => new GroupShard(context, config, topics) })
  }

  /** The shard that a group belongs to, if it is led here and loaded. For whoever looks, not for answers. */
  shardOf(groupId: string): GroupShard | undefined {
    const partitions = this.#partitions()
    return partitions === undefined ? undefined : this.runtime.loadedOf(partitionOf(groupId, partitions))
  }

  async joinGroup(request: RequestOf<typeof joinGroup>, client: GroupClient): Promise<JoinAnswer> {
    const answer = await this.#join(request, client)
    const refused = answer.errorCode !== Errors.NONE && client.version >= NO_PROTOCOL_SINCE
    return refused ? { ...answer, protocolName: null } : answer
  }

  #join(request: RequestOf<typeof joinGroup>, client: GroupClient): Promise<JoinAnswer> {
    const failed = (error: ErrorCode) => refusal(error, request.memberId)
    if (request.groupId === '') return Promise.resolve(failed(Errors.INVALID_GROUP_ID))
    const error = checkSessionTimeout(request, this.#config)
    if (error !== Errors.NONE) return Promise.resolve(failed(error))
    const step: Step<JoinAnswer> = (shard, answer) => {
      const consumer = shard.consumerGroups.get(request.groupId)
      // An empty consumer group becomes a classic one.
      if (!consumer || consumer.members.size === 0) return join(shard, request, client, answer)
      answer(joinConsumerGroup(shard, consumer, request, client))
    }
    return this.#run(request.groupId, step, failed)
  }

  syncGroup(request: RequestOf<typeof syncGroup>, client: GroupClient): Promise<ResponseInput<typeof syncGroup>> {
    const failed = (errorCode: ErrorCode): ResponseInput<typeof syncGroup> => ({ errorCode })
    if (request.groupId === '') return Promise.resolve(failed(Errors.INVALID_GROUP_ID))
    if (lacksProtocol(request, client.version)) return Promise.resolve(failed(Errors.INCONSISTENT_GROUP_PROTOCOL))
    const step: Step<SyncAnswer> = (shard, answer) => {
      const consumer = shard.consumerGroups.get(request.groupId)
      if (!consumer) return sync(shard, request, answer)
      answer(syncConsumerGroup(shard, consumer, request))
    }
    return this.#run(request.groupId, step, failed)
  }

  async heartbeat(request: RequestOf<typeof heartbeat>): Promise<ResponseInput<typeof heartbeat>> {
    if (request.groupId === '') return { errorCode: Errors.INVALID_GROUP_ID }
    const step: Step<ErrorCode> = (shard, answer) => {
      const consumer = shard.consumerGroups.get(request.groupId)
      answer(consumer ? beatConsumerGroup(shard, consumer, request) : beat(shard, request))
    }
    const errorCode = await this.#run(request.groupId, step, (error) => error)
    // A member need not do anything about it: after loading it has a whole session to be heard in.
    return { errorCode: errorCode === Errors.COORDINATOR_LOAD_IN_PROGRESS ? Errors.NONE : errorCode }
  }

  async leaveGroup(request: RequestOf<typeof leaveGroup>, client: GroupClient): Promise<ResponseInput<typeof leaveGroup>> {
    if (request.groupId === '') return { errorCode: Errors.INVALID_GROUP_ID }
    const several = client.version >= LEAVE_SEVERAL_SINCE
    const leaving: readonly Leaving[] = several ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
    const step: Step<ResponseInput<typeof leaveGroup>> = (shard, answer) => {
      const consumer = shard.consumerGroups.get(request.groupId)
      answer(consumer ? leaveAsClassic(shard, consumer, leaving) : leave(shard, request.groupId, leaving))
    }
    const left = await this.#run(request.groupId, step, (errorCode) => ({ errorCode }))
    return several ? left : { errorCode: left.errorCode || left.members?.[0]?.errorCode || Errors.NONE }
  }

  async consumerHeartbeat(request: RequestOf<typeof consumerGroupHeartbeat>, client: GroupClient): Promise<HeartbeatAnswer> {
    if (!this.#config.consumer.enabled) return { errorCode: Errors.UNSUPPORTED_VERSION }
    const wrong = checkHeartbeat(request, client.version, this.#config.consumer)
    if (wrong) return wrong
    const step: Step<HeartbeatAnswer> = (shard, answer) => answer(consumerHeartbeat(shard, request, client))
    return this.#run(request.groupId, step, (errorCode) => ({ errorCode }))
  }

  async describeConsumerGroups(
    request: RequestOf<typeof consumerGroupDescribe>,
  ): Promise<ResponseInput<typeof consumerGroupDescribe>> {
    const describeOne = (groupId: string) => {
      if (!this.#config.consumer.enabled) return describeConsumerRefused(groupId, Errors.UNSUPPORTED_VERSION)
      if (groupId === '') return describeConsumerRefused(groupId, Errors.INVALID_GROUP_ID)
      const step: Step<DescribedConsumerGroup> = (shard, answer) => answer(describeConsumerGroup(shard, groupId))
      return this.#run(groupId, step, (error) => describeConsumerRefused(groupId, error))
    }
    const groups = await Promise.all(request.groupIds.map(describeOne))
    if (!request.includeAuthorizedOperations) return { groups }
    return { groups: groups.map((g) => (g.errorCode ? g : { ...g, authorizedOperations: GROUP_OPERATIONS })) }
  }

  commitOffsets(request: RequestOf<typeof offsetCommit>, client: GroupClient): Promise<ResponseInput<typeof offsetCommit>> {
    const step: Step<ResponseInput<typeof offsetCommit>> = (shard, answer) => answer(commit(shard, request, client))
    return this.#run(request.groupId, step, (error) => commitRefused(request, error))
  }

  /** `guard` is what the log gave when the transaction was verified for its partition here. */
  commitTransactionalOffsets(
    request: TransactionalCommitRequest,
    client: GroupClient,
    guard: object | undefined,
  ): Promise<ResponseInput<typeof txnOffsetCommit>> {
    const failed = (error: ErrorCode) => commitRefused(request, error)
    if (request.groupId === '') return Promise.resolve(failed(Errors.INVALID_GROUP_ID))
    const step: Step<ResponseInput<typeof txnOffsetCommit>> = (shard, answer) =>
      answer(commitInTransaction(shard, request, client, guard))
    return this.#run(request.groupId, step, failed)
  }

  /** The end of a transaction reaches a partition of __consumer_offsets: the positions in it count from now on, or never. */
  endTransaction(partition: number, end: TransactionEnd): Promise<ErrorCode> {
    const step: Step<ErrorCode> = (shard, answer) => answer(shard.context.appendEnd(end))
    return this.runtime.run(partition, step, (error) => error)
  }

  async fetchOffsets(request: RequestOf<typeof offsetFetch>, client: GroupClient): Promise<ResponseInput<typeof offsetFetch>> {
    const fetchOne = (group: FetchGroup) => {
      const step: Step<FetchedGroup> = (shard, answer) =>
        answer(fetchOffsets(shard, group, client.version, request.requireStable))
      return this.#run(group.groupId, step, (error) => fetchRefused(group, error))
    }
    return fetchAnswer(await Promise.all(groupsOf(request, client.version).map(fetchOne)), request, client.version)
  }

  deleteOffsets(request: RequestOf<typeof offsetDelete>): Promise<ResponseInput<typeof offsetDelete>> {
    const step: Step<ResponseInput<typeof offsetDelete>> = (shard, answer) => answer(deleteOffsets(shard, request))
    return this.#run(request.groupId, step, (errorCode) => ({ errorCode }))
  }

  async describeGroups(
    request: RequestOf<typeof describeGroups>,
    client: GroupClient,
  ): Promise<ResponseInput<typeof describeGroups>> {
    const describeOne = (groupId: string) => {
      const step: Step<DescribedGroup> = (shard, answer) => answer(describeGroup(shard, groupId, client.version))
      return this.#run(groupId, step, (error) => describeRefused(groupId, error))
    }
    const groups = await Promise.all(request.groups.map(describeOne))
    if (!request.includeAuthorizedOperations) return { groups }
    return { groups: groups.map((g) => (g.errorCode ? g : { ...g, authorizedOperations: GROUP_OPERATIONS })) }
  }

  async deleteGroups(request: RequestOf<typeof deleteGroups>): Promise<ResponseInput<typeof deleteGroups>> {
    const deleteOne = async (groupId: string) => {
      const step: Step<ErrorCode> = (shard, answer) => answer(deleteGroup(shard, groupId))
      return { groupId, errorCode: await this.#run(groupId, step, (error) => error) }
    }
    return { results: await Promise.all(request.groupsNames.map(deleteOne)) }
  }

  /** Of all partitions that are led here. One that is still loading makes the answer incomplete, and it says so. */
  async listGroups(request: RequestOf<typeof listGroups>): Promise<ResponseInput<typeof listGroups>> {
    const listOne = (partition: number) => {
      const step: Step<Listed> = (shard, answer) => answer({ errorCode: Errors.NONE, groups: listedGroups(shard, request) })
      return this.runtime.run(partition, step, (errorCode): Listed => ({ errorCode, groups: [] }))
    }
    const all = await Promise.all(this.runtime.partitions.map(listOne))
    const failed = all.find((l) => l.errorCode !== Errors.NONE && l.errorCode !== Errors.NOT_COORDINATOR)
    return failed ? { errorCode: failed.errorCode } : { errorCode: Errors.NONE, groups: all.flatMap((l) => l.groups) }
  }

  /** Topics came, went or got partitions; `created` when some came. */
  topicsChanged(created: boolean): void {
    const step: Step<undefined> = (shard, answer) => {
      topicsChanged(shard, created)
      answer(undefined)
    }
    for (const partition of this.runtime.partitions) void this.runtime.run(partition, step, () => undefined)
  }

  /** By name, the ids that they had. */
  topicsDeleted(deleted: ReadonlyMap<string, string>): void {
    const step: Step<undefined> = (shard, answer) => {
      forgetTopics(shard, deleted)
      answer(undefined)
    }
    for (const partition of this.runtime.partitions) void this.runtime.run(partition, step, () => undefined)
  }

  #run<T>(groupId: string, step: Step<T>, failed: (error: ErrorCode) => T): Promise<T> {
    const partitions = this.#partitions()
    if (partitions === undefined) return Promise.resolve(failed(Errors.COORDINATOR_NOT_AVAILABLE))
    return this.runtime.run(partitionOf(groupId, partitions), step, failed)
  }
}

type Step<T> = (shard: GroupShard, answer: (value: T) => void) => void

interface Listed {
  readonly errorCode: ErrorCode
  readonly groups: ListedGroup[]
}

/** Bits of what everybody may do to a group where nobody is refused anything: READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS. */
const GROUP_OPERATIONS = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11)

/** Since 5 a member says which protocol it syncs for (KIP-559). */
function lacksProtocol(request: RequestOf<typeof syncGroup>, version: number): boolean {
  return version >= 5 && (request.protocolType === null || request.protocolName === null)
}
