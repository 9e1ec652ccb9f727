import { Errors } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import type { GroupShard } from '../../src/group/group-shard.ts'
import { commitInTransaction } from '../../src/group/txn-offset-commit.ts'
import { givenOffset, TOPICS } from '../support.ts'
import { brief, ConsumerWorld, owns } from './support.ts'

function topic(...partitions: number[]) {
  const all = partitions.map((p) => ({ partitionIndex: p, committedOffset: 5, committedLeaderEpoch: -1, committedMetadata: '' }))
  return { topics: [{ name: 'orders', topicId: TOPICS.get('orders')!, partitions: all }] }
}

describe('a commit to a consumer group', () => {
  it('needs the epoch of its member, and a version that has one', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    expect(await world.commitError('a', 2, 7, {}, 9)).toBe(0)
    expect(await world.offsets()).toEqual({ 'orders-0': 7 })
    expect(await world.commitError('a', 2, 8, topic(0), 10)).toBe(0)
    expect(await world.commitError('a', 2, 8, {}, 8)).toBe(Errors.UNSUPPORTED_VERSION)
    expect(await world.commitError('a', 3, 8, {}, 9)).toBe(Errors.STALE_MEMBER_EPOCH)
    expect(await world.commitError('b', 2, 8, {}, 9)).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(await world.commitError('', -1, 8, {}, 9)).toBe(Errors.UNKNOWN_MEMBER_ID)
  })

  it('of an older epoch counts where the member has had all of the partitions since then', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    // It is in epoch 2, and has not given them up yet.
    expect(await world.commitError('a', 2, 8, topic(0, 1, 2, 3), 9)).toBe(0)
    await world.heartbeat('a', 2, owns([0, 1]))
    await world.heartbeat('b', 3)
    expect(await world.commitError('a', 2, 8, topic(0, 1), 9)).toBe(0)
    expect(await world.commitError('a', 1, 8, topic(0, 1), 9)).toBe(Errors.STALE_MEMBER_EPOCH)
    const { topics } = await world.commit('a', 2, 8, topic(0, 2), 9)
    expect(topics![0]!.partitions!.map((p) => p.errorCode)).toEqual([113, 113])
    expect(await world.commitError('b', 2, 8, topic(2), 9)).toBe(Errors.STALE_MEMBER_EPOCH)
    expect(await world.commitError('b', 3, 8, topic(2), 9)).toBe(0)
  })

  it('is for everybody while it is empty', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.heartbeat('a', -1)
    expect(await world.commitError('', -1, 8)).toBe(0)
    expect(await world.commitError('a', 2, 8, {}, 9)).toBe(Errors.UNKNOWN_MEMBER_ID)
  })
})

describe('a commit in a transaction', () => {
  const ask = async (world: ConsumerWorld, memberId: string, generationIdOrMemberEpoch: number, partition = 0) => {
    const producer = { transactionalId: 't', producerId: 1, producerEpoch: 0, groupInstanceId: null }
    const request = { groupId: 'g', ...producer, memberId, generationIdOrMemberEpoch, ...topic(partition) }
    const step = (shard: GroupShard) =>
      commitInTransaction(shard, request, { version: 4, clientId: 'c', clientHost: '/h' }, undefined)
    return step(await world.shard()).topics![0]!.partitions![0]!.errorCode
  }

  it('needs the epoch of its member; one that is stale is a generation that is over', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    expect(await ask(world, 'a', 2)).toBe(0)
    expect(await ask(world, 'a', 3)).toBe(Errors.ILLEGAL_GENERATION)
    expect(await ask(world, 'b', 2)).toBe(Errors.UNKNOWN_MEMBER_ID)
    await world.heartbeat('a', -1)
    expect(await ask(world, '', -1)).toBe(0)
  })
})

describe('reading positions of a consumer group', () => {
  const ask = async (world: ConsumerWorld, memberId: string | null, memberEpoch: number) => {
    const group = { groupId: 'g', memberId, memberEpoch, topics: null }
    const request = { groupId: '', topics: null, groups: [group], requireStable: false }
    const { groups } = await world.coordinator.fetchOffsets(request, { version: 9, clientId: 'c', clientHost: '/h' })
    return groups![0]!.errorCode
  }

  it('needs the epoch of its member, unless an administrator asks', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    expect(await ask(world, 'a', 2)).toBe(0)
    expect(await ask(world, null, -1)).toBe(0)
    expect(await ask(world, 'a', 1)).toBe(Errors.STALE_MEMBER_EPOCH)
    expect(await ask(world, 'b', 2)).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(await ask(world, '', -1)).toBe(Errors.UNKNOWN_MEMBER_ID)
  })
})

describe('administration', () => {
  it('lists consumer groups by type and state', async () => {
    const world = new ConsumerWorld([givenOffset('orders', 0, 1, { group: 'simple' })])
    await world.enterGroup('a')
    await world.enterGroup('b', { groupId: 'h' })
    await world.heartbeat('b', -1, { groupId: 'h' })
    const list = async (statesFilter: string[], typesFilter: string[]) => {
      const { groups } = await world.coordinator.listGroups({ statesFilter, typesFilter })
      return groups!.map((g) => `${g.groupId} ${g.groupType} ${g.protocolType} ${g.groupState}`)
    }
    expect(await list([], [])).toEqual(['simple classic  Empty', 'g consumer consumer Stable', 'h consumer consumer Empty'])
    expect(await list(['STABLE'], ['Consumer'])).toEqual(['g consumer consumer Stable'])
    expect(await list(['empty'], ['classic'])).toEqual(['simple classic  Empty'])
    expect(await list(['bogus'], [])).toEqual([])
  })

  it('describes them as no classic groups, and no others as consumer groups', async () => {
    const world = new ConsumerWorld([givenOffset('orders', 0, 1, { group: 'simple' })])
    await world.enterGroup('a')
    expect(await world.describe('g', 5)).toMatchObject({ errorCode: 0, groupState: 'Dead' })
    expect(await world.describe('g', 6)).toMatchObject({ errorCode: 69, errorMessage: 'Group g is not a classic group.' })
    expect(await world.describeConsumers('simple')).toMatchObject({
      errorCode: 69,
      errorMessage: 'Group simple is not a consumer group.',
    })
    expect(await world.describeConsumers('none')).toMatchObject({ errorCode: 69, errorMessage: 'Group none not found.' })
    expect(await world.describeConsumers('')).toMatchObject({ errorCode: 24 })
  })

  it('deletes an empty one with all that is of it', async () => {
    const world = new ConsumerWorld()
    const remove = async () => (await world.coordinator.deleteGroups({ groupsNames: ['g'] })).results![0]!.errorCode
    await world.enterGroup('a')
    await world.commit('a', 2, 5, {}, 9)
    expect(await remove()).toBe(Errors.NON_EMPTY_GROUP)
    await world.heartbeat('a', -1)
    world.written.splice(0)
    expect(await remove()).toBe(0)
    expect(world.written.map(({ type, value }) => [type ?? 'offset', value])).toEqual([
      ['offset', null],
      ['ConsumerGroupTargetAssignmentMetadata', null],
      ['ConsumerGroupPartitionMetadata', null],
      ['ConsumerGroupMetadata', null],
    ])
    expect(await world.told()).toBe('error 69')
    expect(await remove()).toBe(Errors.GROUP_ID_NOT_FOUND)
  })

  it('forgets positions in topics that nobody reads, but not in others', async () => {
    const world = new ConsumerWorld([givenOffset('orders', 0, 1), givenOffset('payments', 0, 1)])
    await world.enterGroup('a')
    const topics = ['orders', 'payments'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const answer = await world.coordinator.deleteOffsets({ groupId: 'g', topics })
    expect(answer.topics!.map((t) => t.partitions![0]!.errorCode)).toEqual([Errors.GROUP_SUBSCRIBED_TO_TOPIC, 0])
    expect(await world.offsets()).toEqual({ 'orders-0': 1 })
  })

  it('lets positions expire that nobody reads, and the empty group with its last one', async () => {
    const world = new ConsumerWorld([givenOffset('orders', 0, 1), givenOffset('payments', 0, 1)], {
      sessionTimeoutMs: () => 30 * 86_400_000,
    })
    await world.enterGroup('a')
    world.clock.advance(7 * 86_400_000 + 600_000)
    expect(await world.offsets()).toEqual({ 'orders-0': 1 })
    await world.heartbeat('a', -1)
    world.clock.advance(600_000)
    expect(await world.offsets()).toEqual({})
    expect(await world.told()).toBe('error 69')
    expect(await brief(world.enterGroup('a'))).toBe('epoch 2 orders[0,1,2,3]')
  })
})
