// Which elections are unclean, which are from eligible leader replicas, and what is counted.
import { describe, expect, it } from 'vitest'
import { ElectionCounts, isUnclean } from '../src/metrics/controller-metrics.ts'
import { changePartition } from '../src/plan/leadership.ts'
import { broker, partition, TestCluster } from './cluster.ts'

/** Elects for one partition, broker 1 being away, and tells what that was. */
function told(state: Parameters<typeof partition>[0], election: 'online' | 'preferred' | 'unclean' = 'online') {
  const brokers = [broker(1, { fenced: true }), broker(2), broker(3)]
  const cluster = new TestCluster({ brokers, partitions: [partition(state)] })
  const before = cluster.partition()
  const topic = cluster.image.topicsByName.get('a')!
  const record = changePartition(cluster.context, topic, before, { election })
  if (record?.type !== 'PartitionChangeRecord') throw new Error('nothing changes')
  const counts = new ElectionCounts()
  counts.note(record.value, before)
  return { isUnclean: isUnclean(record.value, before), ...counts }
}

describe('an election', () => {
  it('of a member of the ISR is clean', () => {
    expect(told({ isr: [1, 2] })).toEqual({ isUnclean: false, all: 1, unclean: 0, fromElr: 0 })
  })

  it('of an eligible leader replica is clean, and counted as such', () => {
    expect(told({ leader: -1, isr: [], elr: [1, 3] })).toEqual({ isUnclean: false, all: 1, unclean: 0, fromElr: 1 })
  })

  it('of any other replica, or of the last known leader, is unclean', () => {
    const unclean = { isUnclean: true, all: 1, unclean: 1, fromElr: 0 }
    expect(told({ leader: -1, isr: [], elr: [1] }, 'unclean')).toEqual(unclean)
    expect(told({ leader: -1, isr: [], lastKnownElr: [3] })).toEqual(unclean)
  })

  it('that is unclean again, before the leader recovered, is told of and not counted', () => {
    const recovering = { leader: -1, isr: [], elr: [1], leaderRecoveryState: 1 }
    expect(told(recovering, 'unclean')).toEqual({ isUnclean: true, all: 1, unclean: 0, fromElr: 0 })
  })

  it('without a winner is none', () => {
    expect(told({ isr: [1] })).toEqual({ isUnclean: false, all: 0, unclean: 0, fromElr: 0 })
  })
})
