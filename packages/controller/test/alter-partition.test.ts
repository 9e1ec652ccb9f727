// AlterPartition: refusals in Kafka's order, and what a leader is told when its ISR is taken.
import { Errors } from '@faultline/protocol'
import type { AlterPartitionItem } from '@faultline/rpc'
import { describe, expect, it } from 'vitest'
import { planAlterPartition } from '../src/plan/alter-partition.ts'
import { broker, type ClusterOptions, partition, TestCluster, TOPIC_ID } from './cluster.ts'

const member = (brokerId: number, brokerEpoch = -1) => ({ brokerId, brokerEpoch })

function ask(item: Partial<AlterPartitionItem>, options: ClusterOptions = {}, sender = { brokerId: 1, brokerEpoch: 10 }) {
  const cluster = new TestCluster({ partitions: [partition()], ...options })
  const full: AlterPartitionItem = {
    topicId: TOPIC_ID,
    partition: 0,
    leaderEpoch: 5,
    partitionEpoch: 9,
    isr: [member(1), member(2)],
    leaderRecoveryState: 0,
    ...item,
  }
  const reply = cluster.apply(planAlterPartition(cluster.context, { ...sender, partitions: [full] }))
  return { cluster, reply, result: reply.partitions[0]! }
}

const code = (...args: Parameters<typeof ask>) => ask(...args).result.error

describe('AlterPartition', () => {
  it('answers the ISR as it then is, with a new partition epoch', () => {
    const { result, cluster } = ask({})
    expect(result).toMatchObject({ error: Errors.NONE, isr: [1, 2], leaderId: 1, leaderEpoch: 5, partitionEpoch: 10 })
    expect(cluster.brief()).toBe('1 isr 1,2 elr  last ')
  })

  it('answers the same again when nothing changes', () => {
    const { result } = ask({ isr: [member(1), member(2), member(3)] })
    expect(result).toMatchObject({ error: Errors.NONE, partitionEpoch: 9 })
  })

  it('refuses a broker whose registration is gone, altogether', () => {
    expect(ask({}, {}, { brokerId: 1, brokerEpoch: 9 }).reply).toEqual({ error: Errors.STALE_BROKER_EPOCH, partitions: [] })
    expect(ask({}, {}, { brokerId: 7, brokerEpoch: 70 }).reply).toEqual({ error: Errors.STALE_BROKER_EPOCH, partitions: [] })
  })

  it('refuses, in this order', () => {
    const follower = { brokerId: 2, brokerEpoch: 20 }
    // Each case has everything wrong that comes after it.
    const bad = { isr: [member(9)] }
    expect(code({ topicId: 'AAAAAAAAAAAAAAAAAAAAZg', partition: 7, leaderEpoch: 6, ...bad }, {}, follower)).toBe(
      Errors.UNKNOWN_TOPIC_ID,
    )
    expect(code({ partition: 7, leaderEpoch: 6, ...bad }, {}, follower)).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
    expect(code({ leaderEpoch: 6, partitionEpoch: 8, ...bad }, {}, follower)).toBe(Errors.NOT_CONTROLLER)
    expect(code({ leaderEpoch: 4, partitionEpoch: 10, ...bad }, {}, follower)).toBe(Errors.NOT_CONTROLLER)
    expect(code({ leaderEpoch: 4, partitionEpoch: 8, ...bad }, {}, follower)).toBe(Errors.FENCED_LEADER_EPOCH)
    expect(code({ partitionEpoch: 8, ...bad }, {}, follower)).toBe(Errors.INVALID_REQUEST)
    expect(code({ partitionEpoch: 8, ...bad })).toBe(Errors.INVALID_UPDATE_VERSION)
    expect(code({ isr: [member(1), member(9)] })).toBe(Errors.INVALID_REQUEST)
    expect(code({ isr: [member(1), member(1)] })).toBe(Errors.INVALID_REQUEST)
    expect(code({ isr: [member(2)] })).toBe(Errors.INVALID_REQUEST)
    expect(code({ isr: [] })).toBe(Errors.INVALID_REQUEST)
  })

  it('refuses to go on recovering with more than the leader, or after it has recovered', () => {
    const recovering = { partitions: [partition({ isr: [1], leaderRecoveryState: 1 })] }
    expect(code({ leaderRecoveryState: 1, isr: [member(1), member(2)] }, recovering)).toBe(Errors.INVALID_REQUEST)
    expect(code({ leaderRecoveryState: 1, isr: [member(1)] })).toBe(Errors.INVALID_REQUEST)
    const { result, cluster } = ask({ isr: [member(1), member(2)] }, recovering)
    expect(result).toMatchObject({ error: Errors.NONE, leaderRecoveryState: 0 })
    expect(cluster.partition().leaderRecoveryState).toBe(0)
  })

  it.each([{ fenced: true }, { inControlledShutdown: true }])('does not take in a broker that is %j', (state) => {
    const brokers = [broker(1), broker(2), broker(3, state)]
    expect(code({ isr: [member(1), member(3)] }, { brokers })).toBe(Errors.INELIGIBLE_REPLICA)
    expect(code({ isr: [member(1), member(2)] }, { brokers })).toBe(Errors.NONE)
  })

  it('does not take in an incarnation that is gone', () => {
    expect(code({ isr: [member(1), member(2, 19)] })).toBe(Errors.INELIGIBLE_REPLICA)
    expect(code({ isr: [member(1, 10), member(2, 20)] })).toBe(Errors.NONE)
  })

  it('makes those that leave eligible when the ISR falls below its minimum, and nobody when it is back', () => {
    const options = { configs: { 'min.insync.replicas': '2' } }
    expect(ask({ isr: [member(1)] }, options).cluster.brief()).toBe('1 isr 1 elr 2,3 last ')
    const back = { ...options, partitions: [partition({ isr: [1], elr: [2, 3], lastKnownElr: [] })] }
    expect(ask({ isr: [member(1), member(2)] }, back).cluster.brief()).toBe('1 isr 1,2 elr  last ')
  })

  it('judges each partition by itself', () => {
    const cluster = new TestCluster({ partitions: [partition(), partition()] })
    const item = { topicId: TOPIC_ID, leaderEpoch: 5, partitionEpoch: 9, isr: [member(1)], leaderRecoveryState: 0 }
    const partitions = [
      { ...item, partition: 0, leaderEpoch: 4 },
      { ...item, partition: 1 },
    ]
    const reply = cluster.apply(planAlterPartition(cluster.context, { brokerId: 1, brokerEpoch: 10, partitions }))
    expect(reply.partitions.map((p) => p.error)).toEqual([Errors.FENCED_LEADER_EPOCH, Errors.NONE])
    expect([cluster.partition(0).isr, cluster.partition(1).isr]).toEqual([[1, 2, 3], [1]])
  })
})
