import type { BrokerState } from '@faultline/controller'
import { DEFAULT_LOG_CONFIG, PartitionLog } from '@faultline/log'
import {
  buildBatch,
  buildEndTransactionMarker,
  Errors,
  type MetadataRecord,
  type offsetCommit,
  type RequestOf,
  ZERO_UUID,
} from '@faultline/protocol'
import { Prng } from '@faultline/base'
import { ClusterImage } from '@faultline/controller'
import { beforeEach, describe, expect, it } from 'vitest'
import { TestClock } from '../../../coordinator/test/support.ts'
import { VirtualDisk } from '../../../sim/src/disk/virtual-disk.ts'
import { CoordinatedLog } from '../../src/coordinator/coordinated-log.ts'
import { GroupCoordination } from '../../src/coordinator/group-coordination.ts'
import { ReplicationCounts } from '../../src/metrics/replica-metrics.ts'
import { TopicTraffic } from '../../src/metrics/topic-metrics.ts'
import { Partition } from '../../src/replica/partition.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const ALIVE = { fenced: false, inControlledShutdown: false, epoch: 7 } as unknown as BrokerState

/** Partition 0 of __consumer_offsets on broker 1, with broker 2 as the follower. */
function replica(clock: TestClock, maxMessageBytes = 10_000): Partition {
  const context = {
    brokerId: 1,
    clock,
    lagMaxMs: 30_000,
    counts: new ReplicationCounts(),
    traffic: () => new TopicTraffic(),
    broker: () => ALIVE,
    minIsr: () => 2,
    proposeIsr: () => {},
    emit: () => {},
    moved: () => {},
  }
  const log = PartitionLog.open({
    disk: new VirtualDisk(),
    clock,
    directory: 'data/__consumer_offsets-0',
    config: { ...DEFAULT_LOG_CONFIG, compact: true, maxMessageBytes },
    topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    cleanShutdown: true,
    recoveryPoint: 0,
  })
  return new Partition(context, '__consumer_offsets', 'AAAAAAAAAAAAAAAAAAAAAQ', log, state(1, 0, [1, 2]))
}

function state(leader: number, leaderEpoch: number, isr: number[]) {
  const rest = { replicas: [1, 2], elr: [], lastKnownElr: [], addingReplicas: [], removingReplicas: [], leaderRecoveryState: 0 }
  return { partition: 0, leader, leaderEpoch, partitionEpoch: leaderEpoch, isr, ...rest }
}

function follow(partition: Partition): void {
  partition.recordFetch({ replica: 2, brokerEpoch: 7, offset: partition.log.logEndOffset, logStartOffset: 0 })
}

describe('a coordinated log', () => {
  let clock: TestClock
  let partition: Partition
  let advanced: number
  let log: CoordinatedLog

  beforeEach(() => {
    clock = new TestClock()
    partition = replica(clock)
    partition.apply(state(1, 1, [1, 2]))
    advanced = 0
    log = new CoordinatedLog(partition, clock, () => advanced++)
  })

  it('appends records as one batch, and hears when the followers have them', () => {
    expect(log.append([1, 2, 3].map((i) => ({ key: bytes(`k${i}`), value: i === 2 ? null : bytes(`v${i}`) })))).toBe(Errors.NONE)
    expect([log.endOffset, log.highWatermark, advanced]).toEqual([3, 0, 0])
    follow(partition)
    expect([log.highWatermark, advanced]).toEqual([3, 1])
    const read = log.read(0)
    if (read.error !== 0) throw new Error(`error ${read.error}`)
    expect(read.nextOffset).toBe(3)
    const text = (of: Uint8Array | null) => of && new TextDecoder().decode(of)
    expect(read.entries.map((e) => ('key' in e ? [text(e.key), text(e.value)] : e))).toEqual([
      ['k1', 'v1'],
      ['k2', null],
      ['k3', 'v3'],
    ])
  })

  it('refuses what is too large, and what too few replicas would have', () => {
    expect(log.append([{ key: bytes('k'), value: new Uint8Array(20_000) }])).toBe(Errors.MESSAGE_TOO_LARGE)
    partition.apply(state(1, 2, [1]))
    const again = new CoordinatedLog(partition, clock, () => {})
    expect(again.append([{ key: bytes('k'), value: null }])).toBe(Errors.NOT_ENOUGH_REPLICAS)
    expect(log.endOffset).toBe(0)
  })

  it('is of one epoch: what it is told in a later one is not its own', () => {
    log.append([{ key: bytes('k'), value: null }])
    partition.apply(state(1, 2, [1, 2]))
    expect(log.append([{ key: bytes('k'), value: null }])).toBe(Errors.NOT_LEADER_OR_FOLLOWER)
    partition.apply(state(2, 3, [1, 2]))
    expect(advanced).toBe(0)
  })

  it('reads the ends of transactions as such, and past records without a key', () => {
    partition.append(buildBatch([{ key: bytes('a'), value: null, timestamp: 0 }]), -1, 'coordinator')
    const marker = { producerId: 5, producerEpoch: 0, coordinatorEpoch: 0, result: 'abort' } as const
    partition.append(buildEndTransactionMarker(marker, 0), -1, 'coordinator')
    partition.append(buildBatch([{ key: bytes('b'), value: null, timestamp: 0 }]), -1, 'coordinator')
    const keys: string[] = []
    for (let offset = 0; offset < log.endOffset;) {
      const read = log.read(offset)
      if (read.error !== 0) throw new Error(`error ${read.error}`)
      keys.push(
        ...read.entries.map((e) => ('committed' in e ? `${e.producerId} ${e.committed}` : new TextDecoder().decode(e.key))),
      )
      offset = read.nextOffset
    }
    expect(keys).toEqual(['a', '5 false', 'b'])
  })

  it('reads a large log in pieces', () => {
    for (let i = 0; i < 50; i++) log.append([{ key: bytes(`k${i}`), value: new Uint8Array(5000) }])
    let reads = 0
    let records = 0
    for (let offset = 0; offset < log.endOffset; reads++) {
      const read = log.read(offset)
      if (read.error !== 0) throw new Error(`error ${read.error}`)
      records += read.entries.length
      offset = read.nextOffset
    }
    expect(records).toBe(50)
    expect(reads).toBeGreaterThan(3)
  })
})

describe('the group coordinator of a broker', () => {
  const topic = (topicId: string, name: string): MetadataRecord => ({ type: 'TopicRecord', value: { topicId, name } })
  const removed = (topicId: string): MetadataRecord => ({ type: 'RemoveTopicRecord', value: { topicId } })
  const placed = (topicId: string): MetadataRecord => ({
    type: 'PartitionRecord',
    value: {
      ...{ partitionId: 0, topicId, replicas: [1, 2], isr: [1, 2], removingReplicas: [], addingReplicas: [], leader: 1 },
      ...{ leaderEpoch: 0, partitionEpoch: 0, leaderRecoveryState: 0, directories: [] },
      ...{ eligibleLeaderReplicas: null, lastKnownElr: null },
    },
  })
  const OFFSETS = 'AAAAAAAAAAAAAAAAAAAAAQ'
  const ORDERS = 'AAAAAAAAAAAAAAAAAAAAAg'

  it('follows leaderships, and forgets the positions in topics that are deleted', async () => {
    const clock = new TestClock()
    const image = new ClusterImage()
    const groups = new GroupCoordination({
      brokerId: 1,
      clock,
      random: new Prng(1),
      events: { emit: () => {} },
      statics: new Map(),
      image: () => image,
    })
    const created = [topic(OFFSETS, '__consumer_offsets'), placed(OFFSETS), topic(ORDERS, 'orders'), placed(ORDERS)]
    image.replayEntry(0, 0, created)
    groups.onMetadata(created, true)
    const partition = replica(clock)
    const commit = async () => {
      const partitions = [{ partitionIndex: 0, committedOffset: 9, committedLeaderEpoch: -1, committedMetadata: '' }]
      const request = { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null, retentionTimeMs: -1 }
      const full = { ...request, topics: [{ name: 'orders', topicId: ZERO_UUID, partitions }] } as RequestOf<typeof offsetCommit>
      const answer = groups.coordinator.commitOffsets(full, { version: 8, clientId: '', clientHost: '' })
      follow(partition)
      return (await answer).topics![0]!.partitions![0]!.errorCode
    }
    const fetch = async () => {
      const request = { groupId: 'g', topics: null, groups: [], requireStable: false }
      const answer = groups.coordinator.fetchOffsets(request, { version: 7, clientId: '', clientHost: '' })
      follow(partition)
      return (await answer).topics
    }
    expect(await commit()).toBe(Errors.NOT_COORDINATOR)
    partition.apply(state(1, 1, [1, 2]))
    groups.onLeadership(partition, true)
    expect(await commit()).toBe(Errors.COORDINATOR_LOAD_IN_PROGRESS)
    clock.advance(0)
    expect(await commit()).toBe(Errors.NONE)
    expect(await fetch()).toMatchObject([{ name: 'orders', partitions: [{ committedOffset: 9 }] }])
    image.replayEntry(1, 0, [removed(ORDERS)])
    groups.onMetadata([removed(ORDERS)], false)
    expect(await fetch()).toEqual([])
    groups.onLeadership(partition, false)
    expect(await commit()).toBe(Errors.NOT_COORDINATOR)
    expect(partition.advanced.size).toBe(0)
    groups.stop()
  })

  it('leaves other topics alone', () => {
    const clock = new TestClock()
    const image = new ClusterImage()
    const options = { clock, random: new Prng(1), events: { emit: () => {} }, statics: new Map<string, string>() }
    const groups = new GroupCoordination({ brokerId: 1, ...options, image: () => image })
    const partition = replica(clock)
    Object.assign(partition, { topic: 'orders' })
    groups.onLeadership(partition, true)
    expect(groups.coordinator.runtime.partitions).toEqual([])
  })
})
