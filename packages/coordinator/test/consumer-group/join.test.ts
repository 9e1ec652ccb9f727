import { describe, expect, it } from 'vitest'
import { given } from '../support.ts'
import { brief, ConsumerWorld, ORDERS, owns } from './support.ts'

describe('a first heartbeat', () => {
  it('makes the group: its epoch begins at 1, the first reason to assign makes it 2', async () => {
    const world = new ConsumerWorld()
    expect(await world.enterGroup('a')).toEqual({
      errorCode: 0,
      memberId: 'a',
      memberEpoch: 2,
      heartbeatIntervalMs: 5000,
      assignment: { topicPartitions: [{ topicId: ORDERS, partitions: [0, 1, 2, 3] }] },
    })
    expect(world.written.map(({ type, value }) => [type, value])).toEqual([
      [
        'ConsumerGroupMemberMetadata',
        {
          instanceId: null,
          rackId: null,
          clientId: 'c',
          clientHost: '/h',
          subscribedTopicNames: ['orders'],
          subscribedTopicRegex: '',
          rebalanceTimeoutMs: 60_000,
          serverAssignor: null,
          classicMemberMetadata: null,
        },
      ],
      ['ConsumerGroupMetadata', { epoch: 2, metadataHash: expect.any(Number) }],
      ['ConsumerGroupTargetAssignmentMember', { topicPartitions: [{ topicId: ORDERS, partitions: [0, 1, 2, 3] }] }],
      ['ConsumerGroupTargetAssignmentMetadata', { assignmentEpoch: 2, assignmentTimestamp: world.clock.wall() }],
      [
        'ConsumerGroupCurrentMemberAssignment',
        {
          memberEpoch: 2,
          previousMemberEpoch: 0,
          state: 0,
          assignedPartitions: [{ topicId: ORDERS, partitions: [0, 1, 2, 3], assignmentEpochs: [2, 2, 2, 2] }],
          partitionsPendingRevocation: [],
        },
      ],
    ])
    expect(await world.told()).toBe('Stable 2/2: a@2 orders[0,1,2,3]')
  })

  it('of a member that reads nothing changes no epoch', async () => {
    const world = new ConsumerWorld()
    expect(await brief(world.enterGroup('a', { subscribedTopicNames: [] }))).toBe('epoch 1 -')
    expect(await world.told()).toBe('Stable 1/1: a@1 -')
  })

  it('of a member that reads what is not there yet leaves it without partitions', async () => {
    const world = new ConsumerWorld()
    expect(await brief(world.enterGroup('a', { subscribedTopicNames: ['later'] }))).toBe('epoch 2 -')
  })

  it('in version 0 gets an id, where it has none', async () => {
    const world = new ConsumerWorld()
    const { memberId } = await world.enterGroup('', {}, 0)
    expect(memberId).toMatch(/^[\w][\w-]{21}$/)
    expect((await world.enterGroup('own', {}, 0)).memberId).toBe('own')
  })

  it('again, by a member that is there, says everything once more and changes nothing', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    world.written.splice(0)
    expect(await brief(world.enterGroup('a'))).toBe('epoch 2 orders[0,1,2,3]')
    expect(world.written).toEqual([])
  })

  it('is refused beyond group.consumer.max.size, but for those who are in', async () => {
    const world = new ConsumerWorld([], { maxSize: 1 })
    await world.enterGroup('a')
    expect(await world.enterGroup('b')).toMatchObject({
      errorCode: 81,
      errorMessage: 'The consumer group has reached its maximum capacity of 1 members.',
    })
    expect(await brief(world.enterGroup('a'))).toBe('epoch 2 orders[0,1,2,3]')
  })

  it('that cannot be written makes no group', async () => {
    const world = new ConsumerWorld()
    world.log.refuse = 19
    expect(await world.enterGroup('a')).toEqual({ errorCode: 15 })
    expect(await world.told()).toBe('error 69')
  })
})

describe('a request that is not well in itself', () => {
  const world = new ConsumerWorld()
  const cases: [string, Parameters<ConsumerWorld['heartbeat']>, string][] = [
    ['no group', ['a', 1, { groupId: '' }], "GroupId can't be empty."],
    ['no member id from version 1 on', ['', 0], "MemberId can't be empty."],
    ['no member id of one that is in', ['', 3, {}, 0], "MemberId can't be empty."],
    ['an empty instance id', ['a', 1, { instanceId: '' }], "InstanceId can't be empty."],
    ['an empty rack', ['a', 1, { rackId: '' }], "RackId can't be empty."],
    ['an epoch that there is not', ['a', -3], 'MemberEpoch is invalid.'],
    ['a static leave without an instance id', ['a', -2], "InstanceId can't be null."],
    ['a join without a rebalance timeout', ['a', 0], 'RebalanceTimeoutMs must be provided in first request.'],
    [
      'a join that does not say what it owns',
      ['a', 0, { rebalanceTimeoutMs: 1 }],
      'TopicPartitions must be empty when (re-)joining.',
    ],
    [
      'a join that owns something',
      ['a', 0, { rebalanceTimeoutMs: 1, ...owns([1]) }],
      'TopicPartitions must be empty when (re-)joining.',
    ],
    [
      'a join without a subscription',
      ['a', 0, { rebalanceTimeoutMs: 1, topicPartitions: [] }],
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    ],
  ]
  it.each(cases)('%s is INVALID_REQUEST', async (_, request, errorMessage) => {
    expect(await world.heartbeat(...request)).toEqual({ errorCode: 42, errorMessage })
    expect(world.written).toEqual([])
  })

  it('an assignor that the broker does not have', async () => {
    expect(await world.enterGroup('a', { serverAssignor: 'mine' })).toEqual({
      errorCode: 112,
      errorMessage: 'ServerAssignor mine is not supported. Supported assignors: uniform, range.',
    })
  })

  it('the protocol is not switched on', async () => {
    const off = new ConsumerWorld([], { enabled: false })
    expect(await off.enterGroup('a')).toEqual({ errorCode: 35 })
    expect((await off.describeConsumers()).errorCode).toBe(35)
  })
})

describe('a later heartbeat', () => {
  it('of a group or member that is not there', async () => {
    const world = new ConsumerWorld([given([{ id: 'x' }], { group: 'classic' })])
    expect(await world.heartbeat('a', 3)).toEqual({ errorCode: 69, errorMessage: 'Consumer group g not found.' })
    expect(await world.heartbeat('a', -1)).toEqual({ errorCode: 69, errorMessage: 'Group g not found.' })
    const other = { errorCode: 69, errorMessage: 'Group classic is not a consumer group.' }
    expect(await world.heartbeat('a', 3, { groupId: 'classic' })).toEqual(other)
    expect(await world.heartbeat('a', -1, { groupId: 'classic' })).toEqual(other)
    await world.enterGroup('a')
    const unknown = { errorCode: 25, errorMessage: 'Member b is not a member of group g.' }
    expect(await world.heartbeat('b', 3)).toEqual(unknown)
    expect(await world.heartbeat('b', -1)).toEqual(unknown)
  })

  it('in another epoch is fenced', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    expect(await world.heartbeat('a', 3)).toMatchObject({
      errorCode: 110,
      errorMessage: expect.stringContaining('has a greater member epoch (3) than the one known by the group coordinator (2)'),
    })
    expect(await world.heartbeat('a', 1)).toMatchObject({
      errorCode: 110,
      errorMessage: expect.stringContaining('has a smaller member epoch (1) than the one known by the group coordinator (2)'),
    })
  })

  it('in the epoch before is good from a member that has nothing that is not its own: the answer was lost', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    await world.heartbeat('a', 2, owns([0, 1]))
    expect(await world.told()).toBe('Reconciling 3/3: a@3 orders[0,1]; b@3 -')
    expect(await brief(world.heartbeat('a', 2))).toBe('error 110')
    expect(await brief(world.heartbeat('a', 2, owns([0, 3])))).toBe('error 110')
    expect(await brief(world.heartbeat('a', 2, owns([0])))).toBe('epoch 3')
  })

  it('that says everything hears everything', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2')
    const all = { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], ...owns([0, 1, 2, 3]) }
    expect(await brief(world.heartbeat('a', 2, all))).toBe('epoch 2 orders[0,1,2,3]')
    expect(await brief(world.heartbeat('a', 2, { ...all, topicPartitions: null }))).toBe('epoch 2')
  })

  it('that says something new of the member is written, and makes no rebalance', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    world.written.splice(0)
    expect(await brief(world.heartbeat('a', 2, { rackId: 'r', rebalanceTimeoutMs: 5, serverAssignor: 'range' }))).toBe('epoch 2')
    expect(world.written).toEqual([
      expect.objectContaining({
        value: expect.objectContaining({ rackId: 'r', rebalanceTimeoutMs: 5, serverAssignor: 'range' }),
      }),
    ])
    expect((await world.describeConsumers()).assignorName).toBe('range')
  })
})

describe('leaving', () => {
  it('frees what the member had; the last one leaves an empty group whose target is made', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    expect(await world.heartbeat('a', -1)).toEqual({ errorCode: 0, memberId: 'a', memberEpoch: -1 })
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 4 orders[0,1,2,3]')
    world.written.splice(0)
    expect(await brief(world.heartbeat('b', -1))).toBe('epoch -1')
    expect(world.written.map(({ type, value }) => [type, value])).toEqual([
      ['ConsumerGroupCurrentMemberAssignment', null],
      ['ConsumerGroupTargetAssignmentMember', null],
      ['ConsumerGroupMemberMetadata', null],
      ['ConsumerGroupMetadata', { epoch: 5, metadataHash: 0 }],
      ['ConsumerGroupTargetAssignmentMetadata', { assignmentEpoch: 5, assignmentTimestamp: 0 }],
    ])
    expect(await world.told()).toBe('Empty 5/5:')
  })

  it('that cannot be written did not happen', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    world.log.refuse = 19
    expect(await world.heartbeat('a', -1)).toEqual({ errorCode: 15 })
    expect(await world.told()).toBe('Stable 2/2: a@2 orders[0,1,2,3]')
  })
})

describe('a static member', () => {
  const I = { instanceId: 'i' }

  it('keeps its instance id while it is there', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', I)
    for (const id of ['a', 'b'])
      expect(await world.enterGroup(id, I)).toEqual({
        errorCode: 111,
        errorMessage: `Static member ${id} with instance id i cannot join the group because the instance id is owned by a member.`,
      })
    const fenced = { errorCode: 82, errorMessage: 'Static member b with instance id i was fenced by member a.' }
    expect(await world.heartbeat('b', 2, I)).toEqual(fenced)
    expect(await world.heartbeat('b', -1, I)).toEqual(fenced)
    const unknown = { errorCode: 25, errorMessage: 'Instance id j is unknown.' }
    expect(await world.heartbeat('a', 2, { instanceId: 'j' })).toEqual(unknown)
    expect(await world.heartbeat('a', -2, { instanceId: 'j' })).toEqual(unknown)
  })

  it('that is away for a while comes back to what it had, under another id, and nobody else moves', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', I)
    expect(await world.heartbeat('a', -2, I)).toEqual({ errorCode: 0, memberId: 'a', memberEpoch: -2 })
    expect(await world.told()).toBe('Reconciling 2/2: a@-2 orders[0,1,2,3]')
    expect(await brief(world.heartbeat('a', 2, I))).toBe('error 110')
    expect(await brief(world.enterGroup('b', I))).toBe('epoch 2 orders[0,1,2,3]')
    expect(await world.told()).toBe('Stable 2/2: b@2 orders[0,1,2,3]')
    expect(await brief(world.heartbeat('a', 2, I))).toBe('error 82')
    expect(await brief(world.heartbeat('a', 2))).toBe('error 25')
  })

  it('that comes back with another subscription causes a rebalance', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', I)
    await world.heartbeat('a', -2, I)
    expect(await brief(world.enterGroup('b', { ...I, subscribedTopicNames: ['payments'] }))).toBe('epoch 3 payments[0,1,2,3]')
  })

  it('that is away is gone after its session', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', I)
    await world.heartbeat('a', -2, I)
    world.clock.advance(44_999)
    expect(await world.told()).toContain('a@-2')
    world.clock.advance(1)
    expect(await world.told()).toBe('Empty 3/3:')
  })

  it('that leaves for good is gone at once', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', I)
    expect(await brief(world.heartbeat('a', -1, I))).toBe('epoch -1')
    expect(await world.told()).toBe('Empty 3/3:')
  })
})
