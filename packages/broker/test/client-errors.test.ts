// What clients are refused is told as events, wherever in an answer it stands, and without a flood.
import { deleteGroups, Errors, listOffsets, metadata } from '@faultline/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

let scene: Scene

beforeEach(async () => {
  scene = await Scene.start({ brokers: 2 })
  await scene.createTopic('orders', 1, 1)
})

const told = () => scene.world.events.filter((e) => e.event === 'client.error').map(({ node, fields }) => ({ node, ...fields }))

describe('an error in an answer', () => {
  it('is told with who asked for what, and where', async () => {
    const other = 3 - scene.leaderOf('orders')
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1 }] }]
    await scene.ask(listOffsets, 7, { replicaId: -1, isolationLevel: 0, topics }, other)
    const [error] = told()
    expect(error).toEqual({
      node: `broker:${other}`,
      api: 'ListOffsets',
      version: 7,
      client: 'test',
      error: 'NOT_LEADER_OR_FOLLOWER',
      topic: 'orders',
      partition: 0,
      repeated: 0,
    })
  })

  it('names topics that were asked for by id, groups, and what stands alone', async () => {
    expect((await scene.fetch('orders', 77)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    await scene.ask(metadata, 9, { topics: [{ name: 'nowhere' }], allowAutoTopicCreation: false })
    await scene.ask(deleteGroups, 2, { groupsNames: ['g'] })
    expect(told()).toMatchObject([
      { api: 'Fetch', error: 'OFFSET_OUT_OF_RANGE', topic: 'orders', partition: 0 },
      { api: 'Metadata', error: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'nowhere' },
      { api: 'DeleteGroups', group: 'g' },
    ])
  })

  it('that comes again and again is told once a second, with how often', async () => {
    for (let i = 0; i < 50; i++) await scene.fetch('orders', 77)
    expect(told()).toHaveLength(1)
    await scene.pass(1100)
    await scene.fetch('orders', 77)
    expect(told().map((e) => (e as { repeated?: number }).repeated)).toEqual([0, 49])
  })

  it('is not told where there is none', async () => {
    await scene.produce('orders', ['x'])
    await scene.fetch('orders', 0)
    expect(told()).toEqual([])
  })
})
