// What is large: two hundred members on four hundred partitions, of both kinds of group; a hundred thousand positions on one partition.
import { describe, expect, it } from 'vitest'
import { givenOffset, settle, TestLog, World } from './support.ts'
import { ConsumerWorld } from './consumer-group/support.ts'

const MEMBERS = 200
const TOPICS = Array.from({ length: 100 }, (_, i) => `t${i}`)

describe('a large group', () => {
  it('of consumers settles: each has its two partitions, and no two the same', async () => {
    const world = new ConsumerWorld()
    TOPICS.forEach((name, i) => world.createTopic(name, `AAAAAAAAAAAAAAAAAAA${String(i).padStart(2, '0')}A`))
    const owned = new Map<string, { epoch: number; parts: { topicId: string; partitions: readonly number[] }[] }>()
    const names = Array.from({ length: MEMBERS }, (_, i) => `m${i}`)
    for (const name of names) {
      const { memberEpoch } = await world.enterGroup(name, { subscribedTopicNames: TOPICS })
      owned.set(name, { epoch: memberEpoch!, parts: [] })
    }
    const beat = async (name: string) => {
      const own = owned.get(name)!
      const { errorCode, memberEpoch, assignment } = await world.heartbeat(name, own.epoch, { topicPartitions: own.parts })
      expect(errorCode).toBe(0)
      own.epoch = memberEpoch!
      if (assignment)
        own.parts = (assignment.topicPartitions ?? []).map((t) => ({ topicId: t.topicId!, partitions: t.partitions! }))
    }
    let rounds = 0
    const counts = () => names.map((n) => owned.get(n)!.parts.reduce((sum, p) => sum + p.partitions.length, 0))
    while (counts().some((count) => count !== 2) && rounds++ < 20) for (const name of names) await beat(name)
    expect(new Set(counts())).toEqual(new Set([2]))
    const all = names.flatMap((n) => owned.get(n)!.parts.flatMap((t) => t.partitions.map((p) => `${t.topicId}-${p}`)))
    expect(new Set(all).size).toBe(2 * MEMBERS)
  })

  it('of classic members settles in one generation', async () => {
    const world = new World()
    const entering = await Promise.all(Array.from({ length: MEMBERS }, () => world.enter()))
    world.clock.advance(3000)
    world.clock.advance(3000)
    await settle()
    const generations = new Set(entering.map(({ joined }) => joined.value?.generationId))
    expect([...generations]).toEqual([1])
    const leader = entering.find(({ id, joined }) => joined.value!.leader === id)!
    const members = leader.joined.value!.members!.map((m) => m.memberId!)
    expect(members).toHaveLength(MEMBERS)
    const assignments = Object.fromEntries(members.map((id) => [id, `of ${id}`]))
    const synced = await Promise.all(entering.map(({ id }) => world.sync(id, 1, id === leader.id ? assignments : {})))
    expect(new Set(synced.map((answer) => answer.errorCode))).toEqual(new Set([0]))
    expect(await world.state()).toBe('Stable')
  })
})

describe('a partition with many positions', () => {
  it('is loaded whole', async () => {
    const records = Array.from({ length: 100_000 }, (_, i) => givenOffset('orders', i % 4, i, { group: `g${i >> 2}` }))
    const world = new World()
    const log = new TestLog(records)
    log.readSize = 1000
    world.elect(log)
    for (let slice = 0; slice < 1000 && world.events.filter(([name]) => name === 'coordinator.loaded').length < 2; slice++)
      world.clock.advance(1)
    expect(await world.offsets('g24999')).toEqual({
      'orders-0': 99_996,
      'orders-1': 99_997,
      'orders-2': 99_998,
      'orders-3': 99_999,
    })
  })
})
