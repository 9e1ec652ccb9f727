import { describe, expect, it } from 'vitest'
import { brief, ConsumerWorld, ORDERS, owns, PAYMENTS } from './support.ts'

const BOTH = { subscribedTopicNames: ['orders', 'payments'] }

describe('reconciliation', () => {
  it('gives a partition on only when who had it says that it has not any more', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    expect(await brief(world.enterGroup('b'))).toBe('epoch 3 -')
    expect(await world.told()).toBe('Reconciling 3/3: a@2 orders[0,1,2,3]; b@3 -')
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2 orders[0,1]')
    expect(await world.told()).toBe('Reconciling 3/3: a@2 orders[0,1,2,3]; b@3 -')
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 3')
    // Still nothing said, still one of them there: nothing moves.
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2')
    expect(await brief(world.heartbeat('a', 2, owns([0, 1, 2])))).toBe('epoch 2')
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 3')
    expect(await brief(world.heartbeat('a', 2, owns([0, 1])))).toBe('epoch 3')
    expect(await world.told()).toBe('Reconciling 3/3: a@3 orders[0,1]; b@3 -')
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 3 orders[2,3]')
    expect(await world.told()).toBe('Stable 3/3: a@3 orders[0,1]; b@3 orders[2,3]')
  })

  it('is written as states: STABLE, UNREVOKED_PARTITIONS, UNRELEASED_PARTITIONS', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    await world.heartbeat('a', 2, owns([0, 1]))
    await world.heartbeat('b', 3)
    const assignments = world.written.filter(({ type }) => type === 'ConsumerGroupCurrentMemberAssignment')
    const part = (partitions: number[], epoch: number) => [
      { topicId: ORDERS, partitions, assignmentEpochs: partitions.map(() => epoch) },
    ]
    expect(assignments.map(({ key, value }) => ({ ...(key as object), ...value }))).toEqual([
      expect.objectContaining({ memberId: 'a', memberEpoch: 2, previousMemberEpoch: 0, state: 0 }),
      expect.objectContaining({ memberId: 'b', memberEpoch: 3, previousMemberEpoch: 0, state: 2, assignedPartitions: [] }),
      expect.objectContaining({
        memberId: 'a',
        memberEpoch: 2,
        previousMemberEpoch: 2,
        state: 1,
        assignedPartitions: part([0, 1], 2),
        partitionsPendingRevocation: part([2, 3], 2),
      }),
      expect.objectContaining({ memberId: 'a', memberEpoch: 3, previousMemberEpoch: 2, state: 0 }),
      expect.objectContaining({
        memberId: 'b',
        memberEpoch: 3,
        previousMemberEpoch: 3,
        state: 0,
        assignedPartitions: part([2, 3], 3),
      }),
    ])
  })

  it('goes towards the newest target, whatever was on the way', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    await world.enterGroup('c')
    // The epoch after its own, until it has given up that, too.
    expect(await brief(world.heartbeat('a', 2, owns([0, 1])))).toBe('epoch 4')
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 4 orders[2]')
    expect(await brief(world.heartbeat('c', 4))).toBe('epoch 4 orders[3]')
    expect(await world.told()).toMatch(/^Stable 4\/4/)
  })

  it('gives a member that takes part of its own back its new partitions at the next step', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    await world.heartbeat('b', -1)
    // b is gone before a gave anything up: but a was told to, and gets it back when it has.
    expect(await brief(world.heartbeat('a', 2, owns([0, 1])))).toBe('epoch 4')
    expect(await brief(world.heartbeat('a', 4, owns([0, 1])))).toBe('epoch 4 orders[0,1,2,3]')
  })

  it('of a member that rejoins takes it that it has nothing', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    expect(await brief(world.enterGroup('a'))).toBe('epoch 3 orders[0,1]')
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 3 orders[2,3]')
  })

  it('stays where it is when the log refuses', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    world.log.refuse = 19
    expect(await world.heartbeat('a', 2)).toEqual({ errorCode: 15 })
    world.log.refuse = 0
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2 orders[0,1]')
  })
})

describe('consumer.assignment.interval.ms', () => {
  it('lets members gather: until it is over they go on towards the target there is', async () => {
    const world = new ConsumerWorld([], { assignmentIntervalMs: () => 1000 })
    await world.enterGroup('a')
    expect(await brief(world.enterGroup('b'))).toBe('epoch 2 -')
    expect(await brief(world.enterGroup('c'))).toBe('epoch 2 -')
    expect(await world.told()).toMatch(/^Assigning 4\/2/)
    world.clock.advance(999)
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2')
    world.clock.advance(1)
    expect(await brief(world.heartbeat('b', 2))).toBe('epoch 4')
    expect(await world.told()).toMatch(/^Reconciling 4\/4/)
  })

  it('does not keep a member in what it does not read any more', async () => {
    const world = new ConsumerWorld([], { assignmentIntervalMs: () => 1000 })
    await world.enterGroup('a')
    expect(await brief(world.heartbeat('a', 2, { subscribedTopicNames: ['payments'] }))).toBe('epoch 2 -')
    expect(await world.told()).toBe('Assigning 3/2: a@2 orders[0,1,2,3]')
    expect(await brief(world.heartbeat('a', 2, owns([])))).toBe('epoch 2')
    expect(await world.told()).toBe('Assigning 3/2: a@2 -')
    world.clock.advance(1000)
    expect(await brief(world.heartbeat('a', 2, owns([])))).toBe('epoch 3 payments[0,1,2,3]')
  })

  it('does not wait for a clock that was set back', async () => {
    const world = new ConsumerWorld([], { assignmentIntervalMs: () => 1000 })
    const wall = world.clock.wall.bind(world.clock)
    await world.enterGroup('a')
    world.clock.wall = () => wall() - 3_600_000
    expect(await brief(world.enterGroup('b'))).toBe('epoch 3 -')
  })
})

describe('topics', () => {
  it('that get partitions make a new epoch at the next heartbeat', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    world.addPartitions('orders', 6)
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 3 orders[0,1,2,3,4,5]')
    expect(await brief(world.heartbeat('a', 3))).toBe('epoch 3')
  })

  it('that the group does not read change nothing', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    world.addPartitions('payments', 6)
    world.createTopic('other', 'AAAAAAAAAAAAAAAAAAAAAw')
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2')
  })

  it('that come after those who read them', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', { subscribedTopicNames: ['later'] })
    world.createTopic('later', 'AAAAAAAAAAAAAAAAAAAAAw', 2)
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 3 AAAAAAAAAAAAAAAAAAAAAw[0,1]')
  })

  it('that are deleted are given up, and those of the same name are others', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', BOTH)
    world.deleteTopic('payments')
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2 orders[0,1,2,3]')
    expect(await brief(world.heartbeat('a', 2, owns([0, 1, 2, 3])))).toBe('epoch 3')
    world.createTopic('payments', 'AAAAAAAAAAAAAAAAAAAAAw', 1)
    expect(await brief(world.heartbeat('a', 3))).toBe('epoch 4 AAAAAAAAAAAAAAAAAAAAAw[0] orders[0,1,2,3]')
  })

  it('are looked at once more after a failover', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    world.partitionCounts.set('orders', 5)
    await world.failOver()
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 3 orders[0,1,2,3,4]')
  })
})

describe('the assignor', () => {
  it('is the one that most members ask for', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('b', { ...BOTH, serverAssignor: 'range' })
    await world.enterGroup('a', { ...BOTH, serverAssignor: 'range' })
    expect((await world.describeConsumers()).assignorName).toBe('range')
    const members = (await world.describeConsumers()).members
    expect(members.map((m) => [m.memberId, m.targetAssignment.topicPartitions.map((t) => [t.topicId, t.partitions])])).toEqual([
      [
        'b',
        [
          [ORDERS, [2, 3]],
          [PAYMENTS, [2, 3]],
        ],
      ],
      [
        'a',
        [
          [ORDERS, [0, 1]],
          [PAYMENTS, [0, 1]],
        ],
      ],
    ])
  })
})
