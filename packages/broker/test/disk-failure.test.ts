// A broker whose disk fails ends, as Kafka does when its last data folder is gone: others lead what it led, and it comes back when the disk
// does.
import { Errors } from '@faultline/protocol'
import { Producer } from '@faultline/client'
import { describe, expect, it } from 'vitest'
import { QUICK_FAILURES } from '@faultline/sim'
import { Scene } from './scene.ts'

async function three(): Promise<Scene> {
  const scene = await Scene.start({ brokers: 3, settings: QUICK_FAILURES })
  await scene.createTopic('a', 1, 3, { 'min.insync.replicas': '2' })
  await scene.produce('a', ['before'])
  return scene
}

const refusals = (scene: Scene) => scene.world.events.filter((e) => e.event === 'refused').map((e) => [e.node, e.fields.code])

async function comesBack(scene: Scene, broker: number, records: number): Promise<void> {
  scene.world.startBroker(broker)
  const even = () =>
    scene.world.brokerIds.every((id) => scene.world.broker(id)?.replicas.byName('a', 0)?.log.logEndOffset === records)
  await scene.world.runUntil('even replicas', even, 60_000)
}

describe('a disk that is full', () => {
  it('ends the leader; its records are on the others, which go on', async () => {
    const scene = await three()
    const leader = scene.leaderOf('a')
    const disk = scene.world.disk(leader)
    const producer = new Producer(scene.world.client('load'))
    await scene.settle(producer.start())
    disk.capacity = 0
    const sent = producer.send('a', 0, [Buffer.from('while full')])
    await scene.world.runUntil('its end', () => !scene.world.runs(leader), 20_000)
    expect(refusals(scene)).toEqual([[`node:${leader}`, 'DISK_FULL']])
    expect(scene.world.events.some((e) => e.event === 'log.offline' && e.node === `broker:${leader}`)).toBe(true)
    expect((await scene.settle(sent)).offset).toBe(1)
    expect(scene.leaderOf('a')).not.toBe(leader)
    disk.capacity = Number.POSITIVE_INFINITY
    await comesBack(scene, leader, 2)
  })

  it('ends a follower; the leader goes on without it', async () => {
    const scene = await three()
    const leader = scene.leaderOf('a')
    const follower = scene.world.brokerIds.find((id) => id !== leader)!
    scene.world.disk(follower).capacity = 0
    expect((await scene.produce('a', ['more'])).errorCode).toBe(Errors.NONE)
    await scene.world.runUntil('its end', () => !scene.world.runs(follower), 20_000)
    expect(refusals(scene)).toEqual([[`node:${follower}`, 'DISK_FULL']])
    scene.world.disk(follower).capacity = Number.POSITIVE_INFINITY
    await comesBack(scene, follower, 2)
  })

  it('ends a broker that cannot make a log', async () => {
    const scene = await three()
    const [full] = scene.world.brokerIds
    scene.world.disk(full!).capacity = 0
    const created = scene.world.client('admin').createTopic('b', 3, 3, {})
    await scene.settle(created)
    await scene.world.runUntil('its end', () => !scene.world.runs(full!), 20_000)
    expect(refusals(scene)).toEqual([[`node:${full}`, 'DISK_FULL']])
  })
})

describe('a disk that fails', () => {
  it.each(['write', 'sync'] as const)('at %s ends the leader', async (operation) => {
    const scene = await Scene.start({ brokers: 3, settings: QUICK_FAILURES })
    await scene.createTopic('a', 1, 3, { 'min.insync.replicas': '2', 'flush.messages': '1' })
    const leader = scene.leaderOf('a')
    const disk = scene.world.disk(leader)
    disk.fault = (attempt) => (attempt.operation === operation && attempt.path.endsWith('.log') ? { code: 'EIO' } : undefined)
    const producer = new Producer(scene.world.client('load'))
    await scene.settle(producer.start())
    expect((await scene.settle(producer.send('a', 0, [Buffer.from('x')]))).offset).toBe(0)
    expect(scene.leaderOf('a')).not.toBe(leader)
    expect(refusals(scene)).toEqual([[`node:${leader}`, 'FOLDER_UNUSABLE']])
    disk.fault = undefined
    await comesBack(scene, leader, 1)
  })
})
