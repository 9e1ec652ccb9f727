// A coordinator's world with what members of consumer groups ask: a test makes a call and sees the answer, the new records and the group.
import type {
  consumerGroupDescribe,
  consumerGroupHeartbeat,
  ErrorCode,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
} from '@faultline/protocol'
import type { GroupCoordinator } from '../../src/group/group-coordinator.ts'
import type { CoordinatorRecord } from '../../src/runtime/ports.ts'
import { CONFIG, TestLog, TOPICS, World } from '../support.ts'

type Heartbeat = Partial<RequestInput<typeof consumerGroupHeartbeat>>
export type Beaten = ResponseInput<typeof consumerGroupHeartbeat>
type Described = NonNullable<ResponseOf<typeof consumerGroupDescribe>['groups']>[number]

export const ORDERS = TOPICS.get('orders')!
export const PAYMENTS = TOPICS.get('payments')!

type ConsumerConfig = Partial<(typeof CONFIG)['consumer']>

export class ConsumerWorld extends World {
  constructor(
    records: readonly CoordinatorRecord[] = [],
    consumer: ConsumerConfig = {},
    config: object = {},
    Coordinator?: typeof GroupCoordinator,
  ) {
    super(records, { ...config, consumer: { ...CONFIG.consumer, assignmentIntervalMs: () => 0, ...consumer } }, Coordinator)
  }

  heartbeat(memberId: string, memberEpoch: number, options: Heartbeat = {}, version = 1): Promise<Beaten> {
    const request = {
      groupId: 'g',
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
      ...options,
    }
    const client = { version, clientId: 'c', clientHost: '/h' }
    return this.coordinator.consumerHeartbeat(request as RequestOf<typeof consumerGroupHeartbeat>, client)
  }

  enterGroup(memberId: string, options: Heartbeat = {}, version = 1): Promise<Beaten> {
    const all = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], topicPartitions: [], ...options }
    return this.heartbeat(memberId, 0, all, version)
  }

  async describeConsumers(groupId = 'g'): Promise<Described> {
    const { groups } = await this.coordinator.describeConsumerGroups({ groupIds: [groupId], includeAuthorizedOperations: false })
    return groups![0] as Described
  }

  /** "Stable 3/3: a@3 orders[0,1]; b@3 orders[2,3]". What is to be given up stands in the brackets too, as in Kafka's answer. */
  async told(groupId = 'g'): Promise<string> {
    const { errorCode, groupState, groupEpoch, assignmentEpoch, members } = await this.describeConsumers(groupId)
    if (errorCode) return `error ${errorCode}`
    const all = members.map(
      (m) => `${m.memberId}@${m.memberEpoch}${m.memberType === 0 ? ' (classic)' : ''} ${shown(m.assignment.topicPartitions)}`,
    )
    return `${groupState} ${groupEpoch}/${assignmentEpoch}: ${all.join('; ')}`.trim()
  }

  /** The log goes to another broker, as it is. */
  async failOver(): Promise<void> {
    this.elect(new TestLog(this.log.records))
    this.clock.advance(0)
  }

  /** As a broker does that hears of it. */
  createTopic(name: string, id: string, partitions = 4): void {
    this.topics.set(name, id)
    this.partitionCounts.set(name, partitions)
    this.metadataVersion++
    this.coordinator.topicsChanged(true)
  }

  addPartitions(name: string, count: number): void {
    this.partitionCounts.set(name, count)
    this.metadataVersion++
    this.coordinator.topicsChanged(false)
  }

  deleteTopic(name: string): void {
    this.topics.delete(name)
    this.metadataVersion++
    this.coordinator.topicsChanged(false)
  }
}

function shown(topics: readonly { topicName: string; partitions: readonly number[] }[]): string {
  return topics.map((t) => `${t.topicName}[${t.partitions.join()}]`).join(' ') || '-'
}

/** "orders[0,1] payments[2]" of an answer; null when it says nothing. */
export function given(answer: Beaten): string | null {
  if (!answer.assignment) return null
  const names = new Map([...TOPICS].map(([name, id]) => [id, name]))
  return (
    answer.assignment
      .topicPartitions!.map((t) => `${names.get(t.topicId!) ?? t.topicId}[${t.partitions!.join()}]`)
      .sort()
      .join(' ') || '-'
  )
}

/** What a member says that it owns. */
export function owns(
  partitions: readonly number[],
  topicId = ORDERS,
): { topicPartitions: { topicId: string; partitions: number[] }[] } {
  return { topicPartitions: partitions.length === 0 ? [] : [{ topicId, partitions: [...partitions] }] }
}

/** An answer in short: "epoch 3 orders[0,1]", "epoch 3", "error 110". */
export async function brief(answer: Promise<Beaten>): Promise<string> {
  const value = await answer
  if (value.errorCode) return `error ${value.errorCode as ErrorCode}`
  const assignment = given(value)
  return `epoch ${value.memberEpoch}${assignment === null ? '' : ` ${assignment}`}`
}
