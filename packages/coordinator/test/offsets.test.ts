import { encodeGroupMetadataKey, type offsetFetch, type RequestOf, ZERO_UUID } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { Call, given, givenOffset, settle, TOPICS, World } from './support.ts'

const client = (version: number) => ({ version, clientId: 'c', clientHost: '/h' })

describe('OffsetCommit', () => {
  it.each([
    ['a member of this generation', [given([{ id: 'a' }])], ['a', 5] as const, 0],
    ['an unknown member', [given([{ id: 'a' }])], ['x', 5] as const, 25],
    ['an old generation', [given([{ id: 'a' }])], ['a', 4] as const, 22],
    ['a generation to come', [given([{ id: 'a' }])], ['a', 6] as const, 22],
    ['nobody, where there are members', [given([{ id: 'a' }])], ['', -1] as const, 25],
    ['a member without generation', [given([{ id: 'a' }])], ['a', -1] as const, 22],
    ['nobody, where the group is empty', [given([])], ['', -1] as const, 0],
    ['a member of a group that is empty now', [given([])], ['a', 5] as const, 25],
    ['nobody, where there is no group', [], ['', -1] as const, 0],
    ['a member where there is no group', [], ['a', 5] as const, 22],
  ])('of %s', async (_, records, [memberId, generation], error) => {
    const world = new World(records)
    expect(await world.commitError(memberId, generation, 7)).toBe(error)
    expect(await world.offsets()).toEqual(error === 0 ? { 'orders-0': 7 } : {})
    expect(world.written.length).toBe(error === 0 ? 1 : 0)
  })

  it('tells newer clients that there is no group', async () => {
    expect(await new World().commitError('a', 5, 7, {}, 9)).toBe(69)
  })

  it('of a fenced instance is refused', async () => {
    const world = new World([given([{ id: 'a', instance: 'i' }])])
    expect(await world.commitError('b', 5, 7, { groupInstanceId: 'i' })).toBe(82)
    expect(await world.commitError('a', 5, 7, { groupInstanceId: 'j' })).toBe(25)
  })

  it('is good while members rejoin, and refused while assignments are awaited', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    void world.join('b', { protocols: [{ name: 'range', metadata: new Uint8Array(0) }] })
    expect(await world.commitError('a', 5, 7)).toBe(0)
    void world.join('a')
    expect(await world.state()).toBe('CompletingRebalance')
    expect(await world.commitError('a', 5, 8)).toBe(22)
    expect(await world.commitError('a', 6, 8)).toBe(27)
    expect(await world.offsets()).toEqual({ 'orders-0': 7 })
  })

  it('writes Kafka’s record', async () => {
    const world = new World()
    await world.commit('', -1, 7, {
      topics: [
        {
          name: 'orders',
          partitions: [{ partitionIndex: 2, committedOffset: 7, committedLeaderEpoch: 3, committedMetadata: 'm' }],
        },
      ],
    })
    expect(world.written).toEqual([
      {
        group: 'g',
        topic: 'orders',
        partition: 2,
        value: {
          offset: 7,
          leaderEpoch: 3,
          metadata: 'm',
          commitTimestamp: 1_000_000,
          expireTimestamp: -1,
          topicId: TOPICS.get('orders'),
        },
      },
    ])
    expect(world.log.records[0]!.value!.slice(0, 2)).toEqual(Buffer.from([0, 4]))
  })

  it('keeps the retention that an older client asks for', async () => {
    const world = new World()
    await world.commit('', -1, 7, { retentionTimeMs: 1000 }, 4)
    expect(world.written[0]!.value).toMatchObject({ offset: 7, expireTimestamp: 1_001_000 })
    await world.commit('', -1, 8, { retentionTimeMs: Number.MAX_SAFE_INTEGER }, 4)
    expect(world.written[0]!.value).toMatchObject({ offset: 8, expireTimestamp: Number.MAX_SAFE_INTEGER })
  })

  it('judges each partition by itself, in one batch', async () => {
    const world = new World()
    const partition = (partitionIndex: number, metadata: string | null = null) => ({
      partitionIndex,
      committedOffset: 1,
      committedMetadata: metadata,
    })
    const topics = [
      {
        name: 'orders',
        partitions: [partition(0), partition(9), partition(1, 'm'.repeat(4097)), partition(2, 'm'.repeat(4096))],
      },
      { name: 'nowhere', partitions: [partition(0)] },
    ]
    const answer = await world.commit('', -1, 0, { topics })
    expect(answer.topics?.map((t) => t.partitions?.map((p) => p.errorCode))).toEqual([[0, 3, 12, 0], [3]])
    expect(await world.offsets()).toEqual({ 'orders-0': 1, 'orders-2': 1 })
  })

  it('takes topics by id from version 10 on', async () => {
    const world = new World()
    const partitions = [{ partitionIndex: 0, committedOffset: 4, committedMetadata: '' }]
    const topics = [
      { name: '', topicId: TOPICS.get('orders')!, partitions },
      { name: '', topicId: 'AAAAAAAAAAAAAAAAAAAACQ', partitions },
    ]
    const answer = await world.commit('', -1, 0, { topics }, 10)
    expect(answer.topics?.map((t) => t.partitions![0]!.errorCode)).toEqual([0, 100])
    expect(await world.offsets()).toEqual({ 'orders-0': 4 })
  })

  it.each([
    [19, 15],
    [20, 15],
    [3, 15],
    [7, 15],
    [6, 16],
    [56, 16],
    [10, 28],
    [18, 28],
  ] as const)('answers a log that refuses with %i by %i, and nothing has changed', async (refused, error) => {
    const world = new World([givenOffset('orders', 0, 3)])
    world.log.refuse = refused
    expect(await world.commitError('', -1, 7)).toBe(error)
    world.log.refuse = 0
    expect(await world.offsets()).toEqual({ 'orders-0': 3 })
  })

  it('is answered when it is committed; and so is who reads it', async () => {
    const world = new World()
    world.log.autoCommit = false
    const commit = new Call(world.commitError('', -1, 7))
    const read = new Call(world.offsets())
    await settle()
    expect([commit.answered, read.answered]).toEqual([false, false])
    world.log.commit()
    await settle()
    expect([commit.value, read.value]).toEqual([0, { 'orders-0': 7 }])
  })

  it('finds no coordinator where there is no such topic yet', async () => {
    const world = new World()
    world.coordinator.runtime.stop()
    expect(await world.commitError('', -1, 7)).toBe(16)
    expect((await world.join('')).errorCode).toBe(16)
  })
})

describe('OffsetFetch', () => {
  const records = [
    givenOffset('orders', 0, 3, { metadata: 'm', leaderEpoch: 2 }),
    givenOffset('gone', 1, 4, { topicId: ZERO_UUID }),
  ]
  const nothing = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }
  const three = { partitionIndex: 0, committedOffset: 3, committedLeaderEpoch: 2, metadata: 'm', errorCode: 0 }

  it('gives what was committed, and −1 for what was not', async () => {
    const topics = [{ name: 'orders', partitionIndexes: [0, 1] }]
    const request = { groupId: 'g', topics, groups: [], requireStable: true } as RequestOf<typeof offsetFetch>
    expect(await new World(records).coordinator.fetchOffsets(request, client(7))).toEqual({
      errorCode: 0,
      topics: [{ name: 'orders', partitions: [three, { partitionIndex: 1, ...nothing }] }],
    })
  })

  it('gives all that there is, of topics that are gone too', async () => {
    expect(await new World(records).offsets()).toEqual({ 'orders-0': 3, 'gone-1': 4 })
    expect(await new World(records).offsets('other')).toEqual({})
  })

  it('names topics by id from version 10 on: unknown ones are errors, and topics that are gone have none', async () => {
    const world = new World(records)
    const unknown = 'AAAAAAAAAAAAAAAAAAAACQ'
    const ids = [TOPICS.get('orders')!, unknown].map((topicId) => ({ name: '', topicId, partitionIndexes: [0] }))
    const groups = [ids, null].map((topics) => ({ groupId: 'g', memberId: null, memberEpoch: -1, topics }))
    const { groups: fetched } = await world.coordinator.fetchOffsets(
      { groupId: '', topics: [], groups, requireStable: false },
      client(10),
    )
    expect(fetched![0]!.topics!.map((t) => [t.topicId, t.partitions])).toEqual([
      [TOPICS.get('orders'), [three]],
      [unknown, [{ partitionIndex: 0, ...nothing, errorCode: 100 }]],
    ])
    expect(fetched![1]!.topics!.map((t) => t.topicId)).toEqual([TOPICS.get('orders')])
  })

  it.each([
    [1, { topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, ...nothing, errorCode: 16 }] }] }],
    [2, { topics: [], errorCode: 16 }],
    [8, { groups: [{ groupId: 'g', errorCode: 16, topics: [] }] }],
  ])('says in version %i that the coordinator is elsewhere', async (version, answer) => {
    const world = new World()
    world.coordinator.runtime.stop()
    const topics = [{ name: 'orders', partitionIndexes: [0] }]
    const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: null }]
    expect(await world.coordinator.fetchOffsets({ groupId: 'g', topics, groups, requireStable: false }, client(version))).toEqual(
      answer,
    )
  })
})

describe('OffsetDelete', () => {
  const ask = (world: World, ...names: string[]) =>
    world.coordinator.deleteOffsets({
      groupId: 'g',
      topics: names.map((name) => ({ name, partitions: [{ partitionIndex: 0 }] })),
    })

  it('forgets positions in topics that nobody in the group reads', async () => {
    const world = new World([given([{ id: 'a' }]), givenOffset('orders', 0, 3), givenOffset('payments', 0, 4)])
    const answer = await ask(world, 'orders', 'payments', 'nowhere')
    expect(answer).toMatchObject({ errorCode: 0 })
    expect(answer.topics?.map((t) => t.partitions![0]!.errorCode)).toEqual([86, 0, 3])
    expect(await world.offsets()).toEqual({ 'orders-0': 3 })
    expect(world.written).toEqual([{ group: 'g', topic: 'payments', partition: 0, value: null }])
  })

  it('forgets none of a group whose subscriptions cannot be read', async () => {
    const group = given([{ id: 'a' }])
    const world = new World([group, givenOffset('payments', 0, 4)])
    void world.join('a', { protocols: [{ name: 'range', metadata: new Uint8Array(1) }] })
    expect((await ask(world, 'payments')).topics?.[0]?.partitions?.[0]?.errorCode).toBe(86)
  })

  it('is refused by a group of another kind that has members', async () => {
    const world = new World([given([{ id: 'a' }], { protocolType: 'connect' })])
    expect(await ask(world, 'orders')).toEqual({ errorCode: 68 })
  })

  it('knows no group, and says when the log refuses', async () => {
    expect(await ask(new World(), 'orders')).toEqual({ errorCode: 69 })
    const world = new World([givenOffset('orders', 0, 3)])
    world.log.refuse = 19
    expect(await ask(world, 'orders')).toEqual({ errorCode: 15 })
  })
})

describe('a topic that is deleted', () => {
  it('takes its positions with it, in all groups; a later topic of that name keeps its own', async () => {
    const world = new World([
      givenOffset('orders', 0, 3),
      givenOffset('orders', 1, 3, { group: 'other' }),
      givenOffset('orders', 2, 3, { topicId: 'AAAAAAAAAAAAAAAAAAAACQ' }),
      givenOffset('payments', 0, 4),
    ])
    world.coordinator.topicsDeleted(new Map([['orders', TOPICS.get('orders')!]]))
    expect(await world.offsets()).toEqual({ 'orders-2': 3, 'payments-0': 4 })
    expect(world.written.map((r) => [r.group, r.topic, r.partition, r.value])).toEqual([
      ['g', 'orders', 0, null],
      ['other', 'orders', 1, null],
    ])
    // A simple group is there until it expires.
    expect((await world.describe('other')).groupState).toBe('Empty')
    world.clock.advance(600_000)
    expect((await world.describe('other')).groupState).toBe('Dead')
  })
})

describe('expiry', () => {
  const DAYS = 86_400_000
  const check = (world: World, days: number) => world.clock.advance(days * DAYS)

  it('of an empty group counts from when it became empty, and takes the group along', async () => {
    const records = [given([], { currentStateTimestamp: 1_000_000 }), givenOffset('orders', 0, 3, { commitTimestamp: 0 })]
    const world = new World(records)
    check(world, 6.9)
    expect(await world.offsets()).toEqual({ 'orders-0': 3 })
    check(world, 0.11)
    expect(await world.offsets()).toEqual({})
    expect(world.written.map((r) => [r.topic, r.value])).toEqual([
      ['orders', null],
      [undefined, null],
    ])
    expect(await world.state()).toBe('Dead')
  })

  it('of a simple group counts from each commit', async () => {
    const world = new World([givenOffset('orders', 0, 3), givenOffset('orders', 1, 3, { commitTimestamp: 1_000_000 + 3 * DAYS })])
    check(world, 7.1)
    expect(await world.offsets()).toEqual({ 'orders-1': 3 })
    check(world, 3)
    expect(await world.state()).toBe('Dead')
  })

  it('of a stable group of consumers takes only what they do not read', async () => {
    const world = new World([
      given([{ id: 'a', sessionMs: 20 * DAYS }]),
      givenOffset('orders', 0, 3),
      givenOffset('payments', 0, 4),
    ])
    check(world, 8)
    expect(await world.offsets()).toEqual({ 'orders-0': 3 })
  })

  it('takes nothing of a group that rebalances, of another kind, or that cannot be read', async () => {
    const sessionMs = 20 * DAYS
    const world = new World([
      given([{ id: 'a', sessionMs }], { group: 'connect', protocolType: 'connect' }),
      givenOffset('orders', 0, 3, { group: 'connect' }),
      given(
        [
          { id: 'a', sessionMs },
          { id: 'b', sessionMs },
        ],
        { group: 'rebalances' },
      ),
      givenOffset('payments', 0, 3, { group: 'rebalances' }),
    ])
    void world.join('a', { groupId: 'rebalances', sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 2_000_000_000 })
    check(world, 8)
    expect([await world.offsets('connect'), await world.offsets('rebalances')]).toEqual([{ 'orders-0': 3 }, { 'payments-0': 3 }])
  })

  it('obeys the retention that was asked for with the commit', async () => {
    const world = new World([
      given([], { currentStateTimestamp: 1_000_000 }),
      givenOffset('orders', 0, 3, { expireTimestamp: 1_000_000 + DAYS }),
      givenOffset('orders', 1, 3, { expireTimestamp: 1_000_000 + 20 * DAYS }),
    ])
    check(world, 1.1)
    expect(await world.offsets()).toEqual({ 'orders-1': 3 })
    check(world, 18)
    expect(await world.offsets()).toEqual({ 'orders-1': 3 })
    check(world, 2)
    expect(await world.state()).toBe('Dead')
  })

  it('keeps an empty group while a member id is out', async () => {
    const world = new World()
    await world.join('', { sessionTimeoutMs: 1_000_000 })
    world.clock.advance(600_000)
    expect(await world.state()).toBe('Empty')
    world.clock.advance(600_000)
    expect(await world.state()).toBe('Dead')
  })

  it('tries again when the log refuses', async () => {
    const world = new World([given([])])
    world.log.refuse = 19
    world.clock.advance(600_000)
    expect(await world.state()).toBe('Empty')
    world.log.refuse = 0
    world.clock.advance(600_000)
    expect(await world.state()).toBe('Dead')
  })

  it('takes as many batches as it needs', async () => {
    const offsets = Array.from({ length: 500 }, (_, i) => givenOffset(`topic-${i}`, 0, i))
    const world = new World(offsets)
    world.log.maxBatchBytes = 2000
    check(world, 8)
    expect(await world.state()).toBe('Dead')
    expect(world.written.length).toBe(501)
  })
})

describe('DeleteGroups', () => {
  it('takes an empty group with its positions, and no other', async () => {
    const world = new World([
      given([]),
      givenOffset('orders', 0, 3),
      given([{ id: 'a' }], { group: 'busy' }),
      givenOffset('orders', 0, 3, { group: 'simple' }),
    ])
    const { results } = await world.coordinator.deleteGroups({ groupsNames: ['g', 'busy', 'nobody', 'simple'] })
    expect(results?.map((r) => [r.groupId, r.errorCode])).toEqual([
      ['g', 0],
      ['busy', 68],
      ['nobody', 69],
      ['simple', 0],
    ])
    expect(world.log.records.slice(4).map((r) => r.value)).toEqual([null, null, null, null])
    expect(world.log.records[5]!.key).toEqual(encodeGroupMetadataKey({ group: 'g' }))
    expect([await world.state(), await world.offsets()]).toEqual(['Dead', {}])
  })

  it('is a group as before when the log refuses', async () => {
    const world = new World([given([]), givenOffset('orders', 0, 3)])
    world.log.refuse = 19
    expect((await world.coordinator.deleteGroups({ groupsNames: ['g'] })).results).toEqual([{ groupId: 'g', errorCode: 15 }])
    expect([await world.state(), await world.offsets()]).toEqual(['Empty', { 'orders-0': 3 }])
  })
})
