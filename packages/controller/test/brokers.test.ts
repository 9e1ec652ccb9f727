// Brokers register, beat, are fenced and stop: with incarnations and epochs, so that a process from the past changes nothing.
import { Errors } from '@faultline/protocol'
import type { BrokerHeartbeatRequest, RegisterBrokerRequest } from '@faultline/rpc'
import { describe, expect, it } from 'vitest'
import { planFencing, planHeartbeat, planRegistration } from '../src/plan/brokers.ts'
import { broker, type ClusterOptions, partition, TestCluster } from './cluster.ts'

const CLUSTER = 'cluster'
const NEW = 'incarnation-that-is-new'.slice(0, 22)

function register(cluster: TestCluster, request: Partial<RegisterBrokerRequest> = {}) {
  const full = {
    brokerId: 1,
    clusterId: CLUSTER,
    incarnationId: NEW,
    listeners: [{ name: 'PLAINTEXT', host: 'h', port: 1 }],
    rack: '',
    logDir: 'AAAAAAAAAAAAAAAAAAAAZg',
    previousBrokerEpoch: -1,
    ...request,
  }
  return cluster.apply(planRegistration(cluster.context, CLUSTER, full))
}

function beat(cluster: TestCluster, request: Partial<BrokerHeartbeatRequest> = {}, shutdownSeen = false) {
  const full = { brokerId: 1, brokerEpoch: 10, metadataOffset: 1000, wantFence: false, wantShutDown: false, ...request }
  return cluster.apply(planHeartbeat(cluster.context, full, shutdownSeen))
}

describe('registration', () => {
  it('gives the offset of its record as the epoch, and is fenced', () => {
    const cluster = new TestCluster({ brokers: [] })
    expect(register(cluster, { rack: 'r1' })).toEqual({ error: Errors.NONE, brokerEpoch: cluster.context.nextOffset })
    expect(cluster.image.brokers.get(1)).toMatchObject({ epoch: 100, fenced: true, rack: 'r1', incarnationId: NEW })
  })

  it('answers the same incarnation the same again', () => {
    const cluster = new TestCluster({ sessions: [1] })
    const { incarnationId } = cluster.image.brokers.get(1)!
    expect(register(cluster, { incarnationId })).toEqual({ error: Errors.NONE, brokerEpoch: 10 })
    expect(cluster.image.brokers.get(1)!.fenced).toBe(false)
  })

  it('refuses another incarnation while one is alive, other clusters, and what is no broker', () => {
    expect(register(new TestCluster({ sessions: [1] })).error).toBe(Errors.DUPLICATE_BROKER_REGISTRATION)
    expect(register(new TestCluster(), { clusterId: 'another' }).error).toBe(Errors.INCONSISTENT_CLUSTER_ID)
    expect(register(new TestCluster(), { brokerId: -1 }).error).toBe(Errors.INVALID_REGISTRATION)
    expect(register(new TestCluster(), { listeners: [] }).error).toBe(Errors.INVALID_REGISTRATION)
  })

  it('takes a new incarnation out of every ISR; one that stopped clean stays eligible', () => {
    const options = { partitions: [partition()], configs: { 'min.insync.replicas': '3' } }
    const clean = new TestCluster(options)
    register(clean, { previousBrokerEpoch: 10 })
    expect(clean.brief()).toBe('2 isr 2,3 elr 1 last ')
    const unclean = new TestCluster(options)
    register(unclean, { previousBrokerEpoch: -1 })
    expect(unclean.brief()).toBe('2 isr 2,3 elr  last ')
    const before = new TestCluster(options)
    register(before, { previousBrokerEpoch: 9 })
    expect(before.brief()).toBe('2 isr 2,3 elr  last ')
  })
})

describe('a heartbeat', () => {
  const FENCED: ClusterOptions = { brokers: [broker(1, { fenced: true }), broker(2), broker(3)] }

  it('of an epoch or a broker that is not registered is refused', () => {
    expect(beat(new TestCluster(), { brokerEpoch: 9 }).error).toBe(Errors.STALE_BROKER_EPOCH)
    expect(beat(new TestCluster(), { brokerEpoch: 11 }).error).toBe(Errors.STALE_BROKER_EPOCH)
    expect(beat(new TestCluster(), { brokerId: 7 }).error).toBe(Errors.BROKER_ID_NOT_REGISTERED)
  })

  it('unfences a broker that wants it and has replayed its own registration', () => {
    const behind = new TestCluster(FENCED)
    expect(beat(behind, { metadataOffset: 9 })).toMatchObject({ isFenced: true, isCaughtUp: false })
    expect(beat(behind, { wantFence: true })).toMatchObject({ isFenced: true, isCaughtUp: true })
    expect(beat(behind, { metadataOffset: 10 })).toMatchObject({ isFenced: false, isCaughtUp: true })
    expect(behind.image.brokers.get(1)!.fenced).toBe(false)
  })

  it('of a broker that comes back elects it where nobody leads', () => {
    const leaderless = [
      partition({ isr: [1], leader: -1 }),
      partition({ isr: [2], leader: -1 }),
      partition({ isr: [], elr: [1], leader: -1 }),
    ]
    const cluster = new TestCluster({ ...FENCED, partitions: leaderless, configs: { 'min.insync.replicas': '2' } })
    beat(cluster)
    expect([0, 1, 2].map((i) => cluster.partition(i).leader)).toEqual([1, 2, 1])
  })

  it('may ask to be fenced', () => {
    const cluster = new TestCluster({ partitions: [partition()] })
    expect(beat(cluster, { wantFence: true })).toMatchObject({ isFenced: true })
    expect(cluster.brief()).toBe('2 isr 2,3 elr  last ')
  })
})

describe('fencing', () => {
  it('happens once', () => {
    const cluster = new TestCluster({ partitions: [partition()] })
    cluster.replay(planFencing(cluster.context, 1))
    expect(cluster.image.brokers.get(1)!.fenced).toBe(true)
    expect(planFencing(cluster.context, 1)).toEqual([])
    expect(planFencing(cluster.context, 7)).toEqual([])
  })
})

describe('a controlled shutdown', () => {
  it('moves leaderships away first, then waits until everybody knows', () => {
    const cluster = new TestCluster({ partitions: [partition()] })
    expect(beat(cluster, { wantShutDown: true })).toMatchObject({ error: Errors.NONE, shouldShutDown: false })
    expect(cluster.brief()).toBe('2 isr 2,3 elr  last ')
    expect(cluster.image.brokers.get(1)).toMatchObject({ inControlledShutdown: true, fenced: false })
    expect(beat(cluster, { wantShutDown: true }, false)).toMatchObject({ shouldShutDown: false })
    expect(beat(cluster, { wantShutDown: true }, true)).toMatchObject({ shouldShutDown: true, isFenced: true })
    expect(cluster.image.brokers.get(1)!.fenced).toBe(true)
  })

  it('goes at once where the broker is fenced anyway', () => {
    const cluster = new TestCluster({ brokers: [broker(1, { fenced: true })] })
    expect(beat(cluster, { wantShutDown: true })).toMatchObject({ shouldShutDown: true })
  })

  it('leaves nobody in an ISR who is on the way out', () => {
    const cluster = new TestCluster({ partitions: [partition({ replicas: [1, 2] })], brokers: [broker(1), broker(2)] })
    beat(cluster, { wantShutDown: true })
    beat(cluster, { brokerId: 2, brokerEpoch: 20, wantShutDown: true })
    expect(cluster.brief()).toBe('-1 isr  elr 2 last 2')
  })
})
