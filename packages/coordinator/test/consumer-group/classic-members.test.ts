import { decodeAssignment, encodeAssignment, encodeSubscription, type ErrorCode } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { bytes, Call, given as givenClassic, settle } from '../support.ts'
import { brief, ConsumerWorld, ORDERS, owns } from './support.ts'

function subscribed(topics: string[], owned: number[] = []): Uint8Array {
  return encodeSubscription({ topics, ownedPartitions: owned.length > 0 ? [{ topic: 'orders', partitions: owned }] : [] })
}

function protocols(topics = ['orders'], owned: number[] = [], name = 'range') {
  return { protocols: [{ name, metadata: subscribed(topics, owned) }] }
}

/** A classic group "g" of these members, with all of orders in the hands of the first one. */
function classicGroup(...ids: string[]) {
  const all = encodeAssignment({ assignedPartitions: [{ topic: 'orders', partitions: [0, 1, 2, 3] }] })
  const record = givenClassic(ids.map((id) => ({ id })))
  return { record, all, ids }
}

function worldWith(ids: string[], options: ConstructorParameters<typeof ConsumerWorld>[1] = {}): ConsumerWorld {
  const { record } = classicGroup(...ids)
  const world = new ConsumerWorld([record], options)
  return world
}

/** A world whose classic group became stable by itself, with an assignment that can be read. */
async function stableClassic(
  options: ConstructorParameters<typeof ConsumerWorld>[1] = {},
): Promise<{ world: ConsumerWorld; id: string }> {
  const world = new ConsumerWorld([], options)
  const { id, joined } = await world.enter(protocols())
  world.clock.advance(3000)
  await settle()
  const assignments = [{ memberId: id, assignment: classicGroup().all }]
  expect((await world.sync(id, joined.value!.generationId!, {}, { assignments })).errorCode).toBe(0)
  world.written.splice(0)
  return { world, id }
}

async function assigned(world: ConsumerWorld, id: string, generation: number): Promise<number[] | ErrorCode> {
  const answer = await world.sync(id, generation)
  if (answer.errorCode) return answer.errorCode as ErrorCode
  return decodeAssignment(answer.assignment!).assignedPartitions.flatMap(({ partitions }) => partitions)
}

describe('online upgrade', () => {
  it('takes the members of a classic group over in the epoch of their generation', async () => {
    const { world, id } = await stableClassic()
    expect(await brief(world.enterGroup('n'))).toBe('epoch 2 -')
    expect(
      world.written.map(({ type, key, value }) => [type ?? 'classic', (key as { memberId?: string })?.memberId, value]),
    ).toEqual([
      ['classic', undefined, null],
      [
        'ConsumerGroupMemberMetadata',
        id,
        expect.objectContaining({
          classicMemberMetadata: { sessionTimeoutMs: 10_000, supportedProtocols: [expect.objectContaining({ name: 'range' })] },
        }),
      ],
      ['ConsumerGroupMetadata', undefined, { epoch: 1, metadataHash: expect.any(Number) }],
      ['ConsumerGroupTargetAssignmentMember', id, { topicPartitions: [{ topicId: ORDERS, partitions: [0, 1, 2, 3] }] }],
      ['ConsumerGroupTargetAssignmentMetadata', undefined, { assignmentEpoch: 1, assignmentTimestamp: 0 }],
      ['ConsumerGroupCurrentMemberAssignment', id, expect.objectContaining({ memberEpoch: 1, previousMemberEpoch: 1, state: 0 })],
      ['ConsumerGroupMemberMetadata', 'n', expect.objectContaining({ classicMemberMetadata: null })],
      ['ConsumerGroupMetadata', undefined, { epoch: 2, metadataHash: expect.any(Number) }],
      ['ConsumerGroupTargetAssignmentMember', id, { topicPartitions: [{ topicId: ORDERS, partitions: [0, 1] }] }],
      ['ConsumerGroupTargetAssignmentMember', 'n', { topicPartitions: [{ topicId: ORDERS, partitions: [2, 3] }] }],
      ['ConsumerGroupTargetAssignmentMetadata', undefined, expect.objectContaining({ assignmentEpoch: 2 })],
      ['ConsumerGroupCurrentMemberAssignment', 'n', expect.objectContaining({ memberEpoch: 2, state: 2 })],
    ])
    expect(await world.told()).toBe(`Reconciling 2/2: ${id}@1 (classic) orders[0,1,2,3]; n@2 -`)
  })

  it('calls classic members to a rebalance, in which they give up and get like the others', async () => {
    const { world, id } = await stableClassic()
    await world.enterGroup('n')
    expect(await world.beat(id, 1)).toBe(27)
    // A member that revokes only what it must says what it has, and joins again when it has given it up.
    const first = await world.join(id, protocols(['orders'], [0, 1, 2, 3]))
    expect(first).toMatchObject({ errorCode: 0, generationId: 1, leader: '', members: [], protocolName: 'range' })
    expect(await assigned(world, id, 1)).toEqual([0, 1])
    expect(await world.beat(id, 1)).toBe(27)
    expect(await world.join(id, protocols(['orders'], [0, 1]))).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(await assigned(world, id, 2)).toEqual([0, 1])
    expect(await world.beat(id, 2)).toBe(0)
    expect(await brief(world.heartbeat('n', 2))).toBe('epoch 2 orders[2,3]')
    await world.heartbeat('n', -1)
  })

  it('calls a classic member again when what it waits for has become free', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('n')
    const { memberId } = await world.join('', protocols())
    expect(await world.join(memberId!, protocols())).toMatchObject({ errorCode: 0, generationId: 3 })
    expect(await assigned(world, memberId!, 3)).toEqual([])
    expect(await world.beat(memberId!, 3)).toBe(0)
    await world.heartbeat('n', 2)
    await world.heartbeat('n', 2, owns([0, 1]))
    expect(await world.beat(memberId!, 3)).toBe(27)
    expect(await world.join(memberId!, protocols())).toMatchObject({ errorCode: 0, generationId: 3 })
    expect(await assigned(world, memberId!, 3)).toEqual([2, 3])
  })

  it('begins the sessions of those who were there', async () => {
    const { world, id } = await stableClassic()
    await world.enterGroup('n')
    world.clock.advance(9_999)
    expect(await world.told()).toContain(id)
    world.clock.advance(1)
    expect(await world.told()).toBe('Assigning 3/2: n@2 -')
  })

  it('ends the rebalance that was under way', async () => {
    const world = new ConsumerWorld()
    const { id, joined } = await world.enter(protocols())
    expect(await brief(world.enterGroup('n'))).toMatch(/^epoch \d+ orders/)
    await settle()
    expect(joined.value).toMatchObject({ errorCode: 27, memberId: id })
    expect(await world.told()).toContain(`${id}@`)
  })

  it('is not for groups of another kind, malformed ones, too large ones, or against the policy', async () => {
    const why = async (world: ConsumerWorld) => (await world.enterGroup('n')).errorMessage
    const start = 'Cannot upgrade classic group g to consumer group because '
    const connect = new ConsumerWorld([givenClassic([{ id: 'a' }], { protocolType: 'connect' })])
    expect(await why(connect)).toBe(`${start}the group does not use the consumer embedded protocol.`)
    expect(await why(worldWith(['a'], { migrationPolicy: 'downgrade' }))).toBe(`${start}the online upgrade is disabled.`)
    expect(await why(worldWith(['a', 'b'], { maxSize: 1 }))).toBe(
      `${start}the group size exceeds the consumer group maximum size.`,
    )
    expect(await why(worldWith(['a']))).toBe(`${start}the embedded consumer protocol is malformed.`)
    expect((await connect.enterGroup('n')).errorCode).toBe(69)
    expect(await connect.describe()).toMatchObject({ groupState: 'Stable' })
  })

  it('gives a partition that a classic leader gave twice to one of both', async () => {
    const assignment = encodeAssignment({ assignedPartitions: [{ topic: 'orders', partitions: [0, 1] }] })
    const world = new ConsumerWorld()
    const [a, b] = [await world.enter(protocols()), await world.enter(protocols())]
    world.clock.advance(6000)
    await settle()
    const generation = a.joined.value!.generationId!
    const assignments = [a.id, b.id].map((memberId) => ({ memberId, assignment }))
    void world.sync(b.id, generation)
    await world.sync(a.id, generation, {}, { assignments })
    await world.enterGroup('n')
    expect(await world.told()).toContain(`${a.id}@1 (classic) orders[0,1]; ${b.id}@1 (classic) -`)
  })
})

describe('a classic member of a consumer group', () => {
  async function mixed() {
    const world = new ConsumerWorld()
    await world.enterGroup('n')
    const { memberId: id } = await world.join('', protocols())
    await world.join(id!, { ...protocols(), rebalanceTimeoutMs: 20_000 })
    return { world, id: id! }
  }

  it('is given an id first, that others cannot guess', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('n')
    expect(await world.join('', protocols())).toMatchObject({ errorCode: 79, memberId: expect.stringMatching(/^[\w-]{22}$/) })
    expect(await world.join('', protocols(), 3)).toMatchObject({ errorCode: 0 })
    expect(await world.join('', { ...protocols(), groupInstanceId: 'i' })).toMatchObject({ errorCode: 0 })
  })

  it('must speak a protocol that all classic members know, in the format of consumers', async () => {
    const { world } = await mixed()
    const error = async (options: object) => (await world.join('x', options)).errorCode
    expect(await error({ protocolType: 'connect', ...protocols() })).toBe(23)
    expect(await error({ protocols: [] })).toBe(23)
    expect(await error(protocols(['orders'], [], 'other'))).toBe(23)
    expect(await error({ protocols: [{ name: 'range', metadata: bytes('x') }] })).toBe(23)
    expect(await error(protocols())).toBe(0)
  })

  it('has no place in a full group', async () => {
    const world = new ConsumerWorld([], { maxSize: 1 })
    await world.enterGroup('n')
    expect(await world.join('', protocols())).toMatchObject({ errorCode: 81, memberId: '' })
  })

  it('hears what is wrong with its generation, instance id and protocol', async () => {
    const { world, id } = await mixed()
    expect(await world.beat(id, 3)).toBe(0)
    expect(await world.beat(id, 2)).toBe(22)
    expect(await world.beat('x', 3)).toBe(25)
    expect(await world.beat('n', 2)).toBe(25)
    expect(await world.beat(id, 3, 'i')).toBe(25)
    expect((await world.sync(id, 2)).errorCode).toBe(22)
    expect((await world.sync(id, 3, {}, { protocolName: 'other' })).errorCode).toBe(23)
    expect((await world.sync(id, 3, {}, { protocolType: 'connect' })).errorCode).toBe(23)
    expect(await world.commitError(id, 3, 1)).toBe(0)
    expect(await world.commitError(id, 4, 1)).toBe(22)
  })

  it('is not answered with what is old: a newer epoch calls it back', async () => {
    const { world, id } = await mixed()
    await world.enterGroup('m')
    expect(await assigned(world, id, 3)).toBe(27)
    expect(await world.beat(id, 3)).toBe(27)
  })

  it('is fenced when it does not join, does not sync, or says nothing', async () => {
    const gone = async (silence: (world: ConsumerWorld, id: string) => Promise<void>) => {
      const { world, id } = await mixed()
      await world.sync(id, 3)
      await silence(world, id)
      return !(await world.told()).includes(id)
    }
    const wait = async (world: ConsumerWorld, ms: number, keep: () => Promise<unknown>) => {
      for (let t = 0; t < ms; t += 5000) {
        await keep()
        await world.heartbeat('n', 2)
        world.clock.advance(5000)
      }
    }
    expect(await gone((world) => wait(world, 10_000, async () => {}))).toBe(true)
    expect(await gone((world, id) => wait(world, 30_000, () => world.beat(id, 3)))).toBe(false)
    expect(
      await gone(async (world, id) => {
        await world.enterGroup('m')
        await wait(world, 30_000, () => world.beat(id, 3))
      }),
    ).toBe(true)
    expect(
      await gone(async (world, id) => {
        await world.join(id, { ...protocols(), rebalanceTimeoutMs: 20_000 })
        await wait(world, 30_000, () => world.beat(id, 3))
      }),
    ).toBe(true)
  })

  it('leaves by LeaveGroup, by id or (an administrator) by instance id', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('n')
    await world.enterGroup('s', { instanceId: 'i' })
    const { memberId } = await world.join('', { ...protocols(), groupInstanceId: 'k' })
    const answer = await world.leave([
      { memberId: '', groupInstanceId: 'i' },
      { memberId: 'wrong', groupInstanceId: 'k' },
      { memberId: memberId!, groupInstanceId: 'k' },
      { memberId: '', groupInstanceId: 'none' },
      { memberId: 'none' },
    ])
    expect(answer.members!.map((m) => m.errorCode)).toEqual([0, 82, 0, 25, 25])
    expect(await world.told()).toMatch(/^Assigning \d\/\d: n@2 orders\[0,1,2,3\]$/)
  })

  it('takes the place of a static member, whichever protocol that spoke, and fences it', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('n')
    await world.enterGroup('s', { instanceId: 'i' })
    const { memberId } = await world.join('', { ...protocols(), groupInstanceId: 'i' })
    expect(await brief(world.heartbeat('s', 3, { instanceId: 'i' }))).toBe('error 82')
    expect(await world.told()).toContain(`${memberId!}@3 (classic)`)
    expect((await world.join('other', { ...protocols(), groupInstanceId: 'i' })).errorCode).toBe(82)
    expect(await brief(world.enterGroup('t', { instanceId: 'i' }))).toMatch(/^epoch/)
    expect(await world.told()).not.toContain('classic')
  })
})

describe('online downgrade', () => {
  async function mixed(options: ConstructorParameters<typeof ConsumerWorld>[1] = {}, config: object = {}) {
    const world = new ConsumerWorld([], options, config)
    await world.enterGroup('n')
    const { memberId: id } = await world.join('', protocols())
    await world.join(id!, protocols())
    world.written.splice(0)
    return { world, id: id! }
  }

  it('happens when the last member of the consumer protocol leaves: the classic ones rebalance', async () => {
    const { world, id } = await mixed()
    expect(await world.heartbeat('n', -1)).toMatchObject({ errorCode: 0, memberEpoch: -1 })
    expect(await world.describe()).toMatchObject({ groupState: 'PreparingRebalance', protocolType: 'consumer' })
    const last = world.written.at(-1)!
    expect(last).toMatchObject({
      value: { protocolType: 'consumer', generation: 3, protocol: 'range', leader: id, members: [{ memberId: id }] },
    })
    expect(await world.told()).toBe('error 69')
    expect(await world.beat(id, 3)).toBe(27)
    const joined = await world.join(id, protocols())
    expect(joined).toMatchObject({ errorCode: 0, generationId: 4, leader: id })
  })

  it('happens when it is fenced, too', async () => {
    const { world, id } = await mixed()
    for (let t = 0; t < 45_000; t += 5000) {
      await world.beat(id, 3)
      world.clock.advance(5000)
    }
    expect(await world.describe()).toMatchObject({ groupState: 'PreparingRebalance' })
  })

  it('needs no rebalance when a static member comes back with the classic protocol', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('s', { instanceId: 'i' })
    const { memberId, generationId } = await world.join('', { ...protocols(), groupInstanceId: 'i' })
    expect(generationId).toBe(2)
    expect(await world.describe()).toMatchObject({ groupState: 'Stable', members: [{ memberId, groupInstanceId: 'i' }] })
    const answer = await world.sync(memberId!, 2, {}, { groupInstanceId: 'i' })
    expect(decodeAssignment(answer.assignment!).assignedPartitions).toEqual([{ topic: 'orders', partitions: [0, 1, 2, 3] }])
  })

  it('does not happen against the policy, or to a group that is too large for it', async () => {
    for (const { world } of [await mixed({ migrationPolicy: 'upgrade' }), await mixed({}, { maxSize: 0 })]) {
      await world.heartbeat('n', -1)
      expect(await world.told()).toMatch(/^Assigning 4\/3/)
    }
  })

  it('that cannot be written did not happen', async () => {
    const { world, id } = await mixed()
    world.log.refuse = 19
    expect(await world.heartbeat('n', -1)).toEqual({ errorCode: 15 })
    world.log.refuse = 0
    expect(await world.told()).toContain('n@2')
    expect(await world.beat(id, 3)).toBe(0)
  })
})

describe('an empty group', () => {
  it('of either kind becomes the other', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.heartbeat('a', -1)
    await world.commit('', -1, 5)
    const { id } = await world.enter(protocols())
    expect(await world.told()).toBe('error 69')
    expect(await world.offsets()).toEqual({ 'orders-0': 5 })
    world.clock.advance(3000)
    await world.leave([{ memberId: id }])
    expect(await world.state()).toBe('Empty')
    expect(await brief(world.enterGroup('a'))).toBe('epoch 2 orders[0,1,2,3]')
    expect(await world.offsets()).toEqual({ 'orders-0': 5 })
    expect((await world.describe()).groupState).toBe('Dead')
  })

  it('that only has positions becomes a consumer group, and again a simple one when that is deleted', async () => {
    const world = new ConsumerWorld()
    await world.commit('', -1, 5)
    expect(await brief(world.enterGroup('a'))).toBe('epoch 2 orders[0,1,2,3]')
    await world.failOver()
    expect(await world.told()).toContain('a@2')
    expect(await world.offsets()).toEqual({ 'orders-0': 5 })
    const waiting = new Call(world.join('x', protocols()))
    await settle()
    expect(waiting.value).toMatchObject({ errorCode: 0 })
  })
})
