// Disks that are slow, not broken: what was asked of them is late, for those who need it. The broker goes on: it keeps its session, and
// serves what needs no disk.
import { Producer } from '@faultline/client'
import { buildBatch, Errors, findCoordinator, heartbeat, offsetCommit, produce } from '@faultline/protocol'
import { QUICK_FAILURES } from '@faultline/sim'
import { describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

const SETTINGS = { ...QUICK_FAILURES, 'offsets.topic.num.partitions': '1', 'offsets.topic.replication.factor': '1' }

async function sceneOf(brokers: number): Promise<Scene> {
  const scene = await Scene.start({ brokers, settings: SETTINGS })
  for (const topic of ['slow', 'quick']) await scene.createTopic(topic, 1, brokers)
  await scene.produce('slow', ['before'])
  await scene.produce('quick', ['before'])
  return scene
}

/** On the log of the topic "slow". */
function slowDown(scene: Scene, broker: number, ms: number, operation = 'any', topic = 'slow'): void {
  scene.world.broker(broker)!.faults.arm({
    id: 'f',
    family: 'storage',
    kind: 'slow',
    where: { topic },
    trigger: {},
    count: null,
    observe: false,
    parameters: { ms, operation },
  })
}

async function timed<T>(scene: Scene, run: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const began = scene.world.scheduler.now
  const value = await run()
  return { value, ms: scene.world.scheduler.now - began }
}

const batchOf = (value: string) => buildBatch([{ key: null, value: Buffer.from(value), timestamp: 1_700_000_000_000 }])
const logOf = (scene: Scene, broker: number, topic = 'slow') => scene.world.broker(broker)!.replicas.byName(topic, 0)!.log
const stateOf = (scene: Scene, broker: number) => scene.world.broker(broker)!

describe('a leader whose disk writes slowly', () => {
  it.each([
    ['all', -1],
    ['1', 1],
  ])('acknowledges late with acks=%s, in order, and takes all other requests at once', async (_, acks) => {
    const scene = await sceneOf(1)
    slowDown(scene, 1, 5000, 'write')
    const topicData = [{ name: 'slow', partitionData: [{ index: 0, records: batchOf('late') }] }]
    const connections = [scene.connect(), scene.connect()]
    const requests = connections.map((c) => c.request(produce, 9, { acks, timeoutMs: 60_000, topicData }))
    const { value: quick, ms } = await timed(scene, () => scene.produce('quick', ['now']))
    expect([quick.errorCode, ms < 100]).toEqual([Errors.NONE, true])
    const late = await timed(scene, () => scene.settle(requests[0]!))
    expect(late.value.responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: Errors.NONE, baseOffset: 1 })
    expect(late.ms).toBeGreaterThan(4800)
    const second = await timed(scene, () => scene.settle(requests[1]!))
    expect(second.value.responses[0]!.partitionResponses[0]).toMatchObject({ baseOffset: 2 })
    expect(second.ms).toBeGreaterThan(4800)
  })

  it('shows nobody what is not written: neither followers nor consumers', async () => {
    const scene = await sceneOf(3)
    const leader = scene.leaderOf('slow')
    const others = scene.world.brokerIds.filter((id) => id !== leader)
    slowDown(scene, leader, 3000, 'write')
    const topicData = [{ name: 'slow', partitionData: [{ index: 0, records: batchOf('late') }] }]
    const sent = scene.connect(leader).request(produce, 9, { acks: -1, timeoutMs: 60_000, topicData })
    await scene.world.runUntil('the append', () => logOf(scene, leader).logEndOffset === 2, 1000)
    await scene.pass(2000)
    expect(others.map((id) => logOf(scene, id).logEndOffset)).toEqual([1, 1])
    expect((await scene.fetch('slow', 1)).highWatermark).toBe(1)
    const { responses } = await scene.settle(sent)
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(Errors.NONE)
    expect(others.map((id) => logOf(scene, id).logEndOffset)).toEqual([2, 2])
  })

  it('keeps its session and its leadership, however long it takes', async () => {
    const scene = await sceneOf(3)
    const leader = scene.leaderOf('slow')
    slowDown(scene, leader, 25_000, 'write')
    expect((await scene.produce('slow', ['late'])).errorCode).toBe(Errors.NONE)
    expect(scene.leaderOf('slow')).toBe(leader)
    expect(stateOf(scene, leader).fenced).toBe(false)
    expect(stateOf(scene, leader).replicas.byName('slow', 0)!.isr).toHaveLength(3)
  })

  it('waits for its fsync where records are flushed one by one', async () => {
    const scene = await Scene.start({ brokers: 1 })
    await scene.createTopic('slow', 1, 1, { 'flush.messages': '1' })
    slowDown(scene, 1, 700, 'sync')
    const { ms } = await timed(scene, () => scene.produce('slow', ['flushed']))
    expect(ms).toBeGreaterThanOrEqual(700)
  })

  it('that dies before it has written takes nothing with it that was acknowledged', async () => {
    const scene = await sceneOf(3)
    const leader = scene.leaderOf('slow')
    slowDown(scene, leader, 60_000, 'write')
    const producer = new Producer(scene.world.client('load'))
    await scene.settle(producer.start())
    const sent = producer.send('slow', 0, [Buffer.from('late')])
    await scene.world.runUntil('the append', () => logOf(scene, leader).logEndOffset === 2, 1000)
    scene.world.crash(leader)
    expect((await scene.settle(sent)).offset).toBe(1)
    const next = scene.leaderOf('slow')
    expect(next).not.toBe(leader)
    expect(logOf(scene, next).logEndOffset).toBe(2)
  })
})

describe('a follower whose disk writes slowly', () => {
  it('leaves the ISR, and is back in it when the disk is as before', async () => {
    const scene = await sceneOf(3)
    const leader = scene.leaderOf('slow')
    const follower = scene.world.brokerIds.find((id) => id !== leader)!
    const isr = () => stateOf(scene, leader).replicas.byName('slow', 0)!.isr
    slowDown(scene, follower, 60_000, 'write')
    const { ms } = await timed(scene, () => scene.produce('slow', ['late']))
    expect(ms).toBeGreaterThan(1000)
    expect(isr()).not.toContain(follower)
    stateOf(scene, follower).faults.disarmAll()
    await scene.world.runUntil('a full ISR', () => isr().length === 3, 120_000)
  })
})

describe('a disk that reads slowly', () => {
  it('makes those wait who read what is not in memory', async () => {
    const scene = await sceneOf(1)
    scene.world.crash(1)
    scene.world.startBroker(1)
    await scene.world.runUntil('its return', () => stateOf(scene, 1).state === 'running' && !stateOf(scene, 1).fenced, 60_000)
    slowDown(scene, 1, 900, 'read')
    const cold = await timed(scene, () => scene.fetch('slow', 0))
    expect(cold.value.records!.length).toBeGreaterThan(0)
    expect(cold.ms).toBeGreaterThanOrEqual(900)
    await scene.produce('slow', ['warm'])
    const warm = await timed(scene, () => scene.fetch('slow', 1))
    expect(warm.value.records!.length).toBeGreaterThan(0)
    expect(warm.ms).toBeLessThan(100)
  })

  it('makes followers wait that are far behind, and they get there', async () => {
    const scene = await sceneOf(3)
    const leader = scene.leaderOf('slow')
    const follower = scene.world.brokerIds.find((id) => id !== leader)!
    scene.world.crash(follower)
    await scene.produce('slow', ['while it is away'])
    // What a leader has in memory is gone, too: it reads for its followers.
    logOf(scene, leader).truncateTo(logOf(scene, leader).logEndOffset)
    slowDown(scene, leader, 900, 'read')
    scene.world.startBroker(follower)
    const caughtUp = () => scene.world.broker(follower)?.replicas.byName('slow', 0)?.log.logEndOffset === 2
    await scene.world.runUntil('its replica', caughtUp, 60_000)
  })
})

describe('a coordinator whose disk is slow', () => {
  it('answers a commit late, and heartbeats at once', async () => {
    const scene = await sceneOf(1)
    const commit = (group: string) =>
      scene.ask(offsetCommit, 8, {
        groupId: group,
        topics: [{ name: 'slow', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }],
      })
    await scene.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    let ready = false
    while (!ready) {
      await scene.pass(100)
      ready = (await commit('g')).topics[0]!.partitions[0]!.errorCode === Errors.NONE
    }
    slowDown(scene, 1, 2000, 'write', '__consumer_offsets')
    const { ms, value } = await timed(scene, () => commit('g'))
    expect(value.topics[0]!.partitions[0]!.errorCode).toBe(Errors.NONE)
    expect(ms).toBeGreaterThanOrEqual(2000)
    const beat = await timed(scene, () => scene.ask(heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' }))
    expect(beat.ms).toBeLessThan(100)
  })
})
