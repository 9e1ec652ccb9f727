// TxnOffsetCommit: positions that wait for the end of their transaction.
import { Errors, type RequestInput, type RequestOf, type txnOffsetCommit, ZERO_UUID } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { endTransaction, txnCommit } from './txn-support.ts'
import { Call, given, givenOffset, settle, TestLog, TOPICS, World } from './support.ts'

const { NONE, UNSTABLE_OFFSET_COMMIT } = Errors
const A = { producerId: 7, producerEpoch: 0 }
const B = { producerId: 8, producerEpoch: 3 }

/** Errors and positions of orders-0 and orders-1, as one that must not read what may change sees them. */
async function stable(world: World, groupId = 'g') {
  const topics = [{ name: 'orders', topicId: ZERO_UUID, partitionIndexes: [0, 1] }]
  const group = { groupId, memberId: null, memberEpoch: -1, topics }
  const request = { groupId, topics: null, groups: [group], requireStable: true }
  const { groups } = await world.coordinator.fetchOffsets(request, { version: 9, clientId: 'c', clientHost: '/h' })
  return groups![0]!.topics![0]!.partitions!.map((p) => (p.errorCode === NONE ? p.committedOffset : p.errorCode))
}

describe('TxnOffsetCommit', () => {
  it.each([
    ['nobody, of a group that is not there', [], {}, NONE],
    ['a member of a group that is not there', [], { memberId: 'a', generationIdOrMemberEpoch: 5 }, Errors.ILLEGAL_GENERATION],
    ['a generation of a group that is not there', [], { generationIdOrMemberEpoch: 0 }, Errors.ILLEGAL_GENERATION],
    ['nobody, of an empty group', [given([])], {}, NONE],
    ['nobody, of a group with members', [given([{ id: 'a' }])], {}, NONE],
    ['a member', [given([{ id: 'a' }])], { memberId: 'a', generationIdOrMemberEpoch: 5 }, NONE],
    ['a member of before', [given([{ id: 'a' }])], { memberId: 'a', generationIdOrMemberEpoch: 4 }, Errors.ILLEGAL_GENERATION],
    ['a member to come', [given([{ id: 'a' }])], { memberId: 'a', generationIdOrMemberEpoch: 6 }, Errors.ILLEGAL_GENERATION],
    ['somebody else', [given([{ id: 'a' }])], { memberId: 'x', generationIdOrMemberEpoch: 5 }, Errors.UNKNOWN_MEMBER_ID],
    ['somebody else without a generation', [given([{ id: 'a' }])], { memberId: 'x' }, Errors.UNKNOWN_MEMBER_ID],
    ['a member without a generation', [given([{ id: 'a' }])], { memberId: 'a' }, Errors.ILLEGAL_GENERATION],
    [
      'another instance',
      [given([{ id: 'a', instance: 'i' }])],
      { memberId: 'b', groupInstanceId: 'i', generationIdOrMemberEpoch: 5 },
      Errors.FENCED_INSTANCE_ID,
    ],
  ] as const)('by %s', async (_, records, more, error) => {
    const world = new World(records)
    expect(await txnCommit(world, A, 9, more)).toBe(error)
    expect(world.written).toHaveLength(error === NONE ? 1 : 0)
  })

  it('fails a position that cannot be, and takes the others', async () => {
    const world = new World()
    const position = (partitionIndex: number, committedMetadata: string | null) => ({
      partitionIndex,
      committedOffset: 3,
      committedLeaderEpoch: -1,
      committedMetadata,
    })
    const topics: RequestInput<typeof txnOffsetCommit>['topics'] = [
      {
        name: 'orders',
        partitions: [position(0, null), position(9, ''), position(1, 'x'.repeat(4097)), position(2, 'x'.repeat(4096))],
      },
      { name: 'nothing', partitions: [position(0, '')] },
    ]
    const request = { transactionalId: 't', groupId: 'g', ...A, generationIdOrMemberEpoch: -1, memberId: '', topics }
    const full = { groupInstanceId: null, ...request } as unknown as RequestOf<typeof txnOffsetCommit>
    const client = { version: 5, clientId: 'c', clientHost: '/h' }
    const answer = await world.coordinator.commitTransactionalOffsets(full, client, undefined)
    expect(answer.topics!.map((t) => t.partitions!.map((p) => p.errorCode))).toEqual([
      [NONE, Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.OFFSET_METADATA_TOO_LARGE, NONE],
      [Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    await endTransaction(world, A, true)
    expect(await world.offsets()).toEqual({ 'orders-0': 3, 'orders-2': 3 })
  })

  it('says what the log says, and nothing waits', async () => {
    const world = new World()
    world.log.refuse = Errors.INVALID_PRODUCER_EPOCH
    expect(await txnCommit(world, A, 9)).toBe(Errors.INVALID_PRODUCER_EPOCH)
    world.log.refuse = Errors.INVALID_TXN_STATE
    expect(await txnCommit(world, A, 9)).toBe(Errors.INVALID_TXN_STATE)
    world.log.refuse = Errors.NOT_ENOUGH_REPLICAS
    expect(await txnCommit(world, A, 9)).toBe(Errors.COORDINATOR_NOT_AVAILABLE)
    expect([await stable(world), (await world.shard()).groups.size]).toEqual([[-1, -1], 0])
  })

  it('is answered when it is committed to the log', async () => {
    const world = new World()
    world.log.autoCommit = false
    const call = new Call(txnCommit(world, A, 9))
    await settle()
    expect(call.answered).toBe(false)
    world.log.commit()
    await settle()
    expect(call.value).toBe(NONE)
  })
})

describe('positions in an open transaction', () => {
  it('are unstable, and then committed', async () => {
    const world = new World([givenOffset('orders', 0, 1), givenOffset('orders', 1, 1)])
    await txnCommit(world, A, 9)
    expect([await stable(world), await world.offsets()]).toEqual([[UNSTABLE_OFFSET_COMMIT, 1], { 'orders-0': 1, 'orders-1': 1 }])
    expect(await endTransaction(world, A, true)).toBe(NONE)
    expect(await stable(world)).toEqual([9, 1])
  })

  it('or gone', async () => {
    const world = new World([givenOffset('orders', 0, 1)])
    await txnCommit(world, A, 9)
    await endTransaction(world, A, false)
    expect(await stable(world)).toEqual([1, -1])
  })

  it('are the last ones that the transaction wrote', async () => {
    const world = new World()
    for (const offset of [9, 7, 8]) await txnCommit(world, A, offset)
    await endTransaction(world, A, true)
    expect(await stable(world)).toEqual([8, -1])
  })

  it('are those of one producer: others’ transactions end by themselves', async () => {
    const world = new World()
    await txnCommit(world, A, 9)
    await txnCommit(world, B, 5, { partition: 1 })
    await endTransaction(world, B, true)
    expect(await stable(world)).toEqual([UNSTABLE_OFFSET_COMMIT, 5])
    await endTransaction(world, { producerId: 99, producerEpoch: 0 }, true)
    expect(await stable(world)).toEqual([UNSTABLE_OFFSET_COMMIT, 5])
  })

  it.each([
    ['first, first', [A, B], [A, B], 2],
    ['first, last', [A, B], [B, A], 2],
    ['last, first', [B, A], [A, B], 1],
    ['last, last', [B, A], [B, A], 1],
  ] as const)('of two transactions: what was written last counts (%s)', async (_, writes, ends, counts) => {
    const world = new World()
    for (const who of writes) await txnCommit(world, who, who === A ? 1 : 2)
    for (const who of ends) await endTransaction(world, who, true)
    expect(await stable(world)).toEqual([counts, -1])
    world.elect(new TestLog(world.log.entries))
    world.clock.advance(0)
    expect(await stable(world)).toEqual([counts, -1])
  })

  it('count no more than a plain commit that came later', async () => {
    const world = new World()
    await txnCommit(world, A, 9)
    await world.commitError('', -1, 4)
    expect([await stable(world), await world.offsets()]).toEqual([[UNSTABLE_OFFSET_COMMIT, -1], { 'orders-0': 4 }])
    await endTransaction(world, A, true)
    expect(await stable(world)).toEqual([4, -1])
  })

  it('count more than a plain commit that came before', async () => {
    const world = new World()
    await world.commitError('', -1, 4)
    await txnCommit(world, A, 3)
    await endTransaction(world, A, true)
    expect(await stable(world)).toEqual([3, -1])
  })

  it('come back with a coordinator that replays them, and end by the marker it finds', async () => {
    const world = new World()
    await txnCommit(world, A, 9)
    await txnCommit(world, B, 5, { partition: 1 })
    await endTransaction(world, A, true)
    world.elect(new TestLog(world.log.entries))
    world.clock.advance(0)
    expect(await stable(world)).toEqual([9, UNSTABLE_OFFSET_COMMIT])
    await endTransaction(world, B, false)
    expect(await stable(world)).toEqual([9, -1])
  })

  it('that the last coordinator could not commit to the log are lost with it', async () => {
    const world = new World()
    world.log.autoCommit = false
    const call = new Call(txnCommit(world, A, 9))
    world.elect(new TestLog([]))
    await settle()
    world.clock.advance(0)
    expect([call.value, await stable(world)]).toEqual([Errors.NOT_COORDINATOR, [-1, -1]])
  })

  it('stay open when the marker is refused', async () => {
    const world = new World()
    await txnCommit(world, A, 9)
    world.log.refuse = Errors.INVALID_PRODUCER_EPOCH
    expect(await endTransaction(world, A, true)).toBe(Errors.INVALID_PRODUCER_EPOCH)
    expect(await stable(world)).toEqual([UNSTABLE_OFFSET_COMMIT, -1])
  })
})

describe('a group that has only such positions', () => {
  it('is there, before the transaction ends and after, until it expires', async () => {
    const world = new World()
    await txnCommit(world, A, 9)
    expect(await world.state()).toBe('Empty')
    world.clock.advance(600_000)
    expect(await world.state()).toBe('Empty')
    await endTransaction(world, A, false)
    expect(await world.state()).toBe('Empty')
    world.clock.advance(600_000)
    expect(await world.state()).toBe('Dead')
  })

  it('keeps what is open when the rest of it expires', async () => {
    const world = new World([givenOffset('orders', 0, 1), givenOffset('orders', 1, 1)])
    await txnCommit(world, A, 9)
    world.clock.advance(8 * 86_400_000)
    expect(await stable(world)).toEqual([UNSTABLE_OFFSET_COMMIT, -1])
    expect(await world.offsets()).toEqual({ 'orders-0': 1 })
    await endTransaction(world, A, true)
    expect(await stable(world)).toEqual([9, -1])
  })

  it.each([true, false])('is deleted, and the transaction has nothing to add (committed: %s)', async (committed) => {
    const world = new World()
    await txnCommit(world, A, 9)
    expect((await world.coordinator.deleteGroups({ groupsNames: ['g'] })).results![0]!.errorCode).toBe(NONE)
    expect([await world.state(), await stable(world)]).toEqual(['Dead', [-1, -1]])
    await endTransaction(world, A, committed)
    expect([await world.state(), await stable(world)]).toEqual(['Dead', [-1, -1]])
  })

  it('loses a position to OffsetDelete, and no other', async () => {
    const world = new World()
    await txnCommit(world, A, 9)
    await txnCommit(world, A, 8, { partition: 1 })
    await txnCommit(world, B, 7)
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }]
    expect((await world.coordinator.deleteOffsets({ groupId: 'g', topics })).topics![0]!.partitions![0]!.errorCode).toBe(NONE)
    expect(await stable(world)).toEqual([-1, UNSTABLE_OFFSET_COMMIT])
    await txnCommit(world, B, 6)
    await endTransaction(world, A, true)
    await endTransaction(world, B, true)
    expect(await stable(world)).toEqual([6, 8])
  })

  it('loses positions in a topic that is deleted', async () => {
    const world = new World()
    await txnCommit(world, A, 9)
    world.coordinator.topicsDeleted(new Map([['payments', TOPICS.get('payments')!]]))
    expect(await stable(world)).toEqual([UNSTABLE_OFFSET_COMMIT, -1])
    world.coordinator.topicsDeleted(new Map([['orders', TOPICS.get('orders')!]]))
    await endTransaction(world, A, true)
    expect(await stable(world)).toEqual([-1, -1])
  })
})
