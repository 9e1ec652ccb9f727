// A leader that has been replaced and does not know it: cut off from the controllers, not from its clients. It may take records in; it must
// not acknowledge them to whoever asked for all replicas, and it gives them up when it learns the truth.
import { Connection } from '@faultline/client'
import { buildBatch, Errors, produce } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { QUICK_FAILURES, World } from '../src/index.ts'

class Scene {
  readonly world: World
  readonly #seed: number

  private constructor(seed: number) {
    this.#seed = seed
    this.world = new World({ seed, brokers: 3, controllers: 3, settings: QUICK_FAILURES })
  }

  static async start(seed: number): Promise<Scene> {
    const scene = new Scene(seed)
    const { world } = scene
    await world.start()
    const created = world.client('admin').createTopic('orders', 1, 3, { 'min.insync.replicas': '2' })
    await scene.settle(created)
    await world.runUntil(
      'the partition',
      () => world.brokerIds.every((id) => world.broker(id)!.replicas.byName('orders', 0)),
      5000,
    )
    return scene
  }

  get leader(): number {
    return this.world.image!.topicsByName.get('orders')!.partitions[0]!.leader
  }

  end(broker: number): number {
    return this.world.broker(broker)!.replicas.byName('orders', 0)!.log.logEndOffset
  }

  /** The error code that one broker answers a Produce with. */
  async produce(broker: number, value: string, acks: number): Promise<number> {
    const connection = new Connection(this.world.clients, 'sim', 9091 + broker, `test-${this.#seed}`)
    const records = buildBatch([{ key: null, value: Buffer.from(value), timestamp: 1_700_000_000_000 }])
    const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }]
    const reply = await this.settle(connection.request(produce, 12, { acks, timeoutMs: 800, topicData }))
    connection.close()
    return reply.responses[0]!.partitionResponses[0]!.errorCode
  }

  async settle<T>(promise: Promise<T>): Promise<T> {
    let done = false
    void promise.finally(() => (done = true)).catch(() => {})
    await this.world.runUntil('an answer', () => done, 30_000)
    return promise
  }

  cutFromControllers(broker: number): void {
    for (const controller of this.world.controllerIds) {
      this.world.peers.cut(broker, controller, 'control')
      this.world.peers.cut(controller, broker, 'control')
    }
  }
}

describe('a replaced leader', () => {
  it.each([1, 2, 3, 4, 5])('acknowledges nothing that its successor does not have, and gives it up (seed %i)', async (seed) => {
    const scene = await Scene.start(seed)
    const { world } = scene
    const old = scene.leader
    expect(await scene.produce(old, 'before', -1)).toBe(Errors.NONE)

    scene.cutFromControllers(old)
    await world.runUntil('a successor', () => scene.leader !== old && scene.leader >= 0, 30_000)
    const next = scene.leader
    await world.runUntil('its epoch', () => world.broker(next)!.replicas.byName('orders', 0)!.leads, 5000)
    expect(world.broker(old)!.replicas.byName('orders', 0)!.leads).toBe(true)
    expect(await scene.produce(old, 'lost', -1)).not.toBe(Errors.NONE)
    expect(await scene.produce(next, 'kept', -1)).toBe(Errors.NONE)
    expect(scene.end(old)).toBe(2)

    world.peers.heal()
    await world.runUntil('the truth', () => world.broker(old)!.replicas.byName('orders', 0)!.leader === next, 30_000)
    const isr = () => world.image!.topicsByName.get('orders')!.partitions[0]!.isr.length
    await world.runUntil('a full ISR', () => isr() === 3, 60_000)
    expect(world.events.some((e) => e.event === 'replica.truncate' && e.node === `broker:${old}`)).toBe(true)
    expect(world.brokerIds.map((id) => scene.end(id))).toEqual([2, 2, 2])
  })

  it('follows its successor though neither wrote anything in its time (seed 6)', async () => {
    const scene = await Scene.start(6)
    const { world } = scene
    expect(await scene.produce(scene.leader, 'before', -1)).toBe(Errors.NONE)
    const isr = () => world.image!.topicsByName.get('orders')!.partitions[0]!.isr.length
    for (const turn of [1, 2, 3]) {
      const old = scene.leader
      scene.cutFromControllers(old)
      await world.runUntil(`successor ${turn}`, () => scene.leader !== old && scene.leader >= 0, 30_000)
      world.peers.heal()
      await world.runUntil(`full ISR ${turn}`, () => isr() === 3, 60_000)
    }
    expect(world.events.filter((e) => e.event === 'replica.truncate').length).toBeLessThan(10)
  })

  it('refuses records once it knows', async () => {
    const scene = await Scene.start(9)
    const [follower] = scene.world.brokerIds.filter((id) => id !== scene.leader)
    for (const acks of [1, -1])
      expect(await scene.produce(follower!, 'nobody asked you', acks)).toBe(Errors.NOT_LEADER_OR_FOLLOWER)
    expect(scene.end(follower!)).toBe(0)
  })
})
