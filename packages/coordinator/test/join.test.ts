import { describe, expect, it } from 'vitest'
import { bytes, Call, given, settle, subscription, text, World } from './support.ts'

const NONE = 0

describe('JoinGroup', () => {
  it.each([
    ['an empty group id', { groupId: '' }, '', 24],
    ['a session timeout that is too short', { sessionTimeoutMs: 5999 }, '', 26],
    ['a session timeout that is too long', { sessionTimeoutMs: 1_800_001 }, '', 26],
    ['a member id where there is no group', {}, 'x', 25],
    ['no protocols', { protocols: [] }, '', 23],
    ['no protocol type', { protocolType: '' }, '', 23],
  ])('refuses %s', async (_, options, memberId, error) => {
    const world = new World()
    expect(await world.join(memberId, options)).toEqual({ errorCode: error, memberId, protocolName: null })
    expect(await world.join(memberId, options, 6)).toEqual({ errorCode: error, memberId })
    expect(world.written).toEqual([])
  })

  it('writes the group down before it gives out a member id (KIP-394)', async () => {
    const world = new World()
    const { errorCode, memberId } = await world.join('')
    expect(errorCode).toBe(79)
    expect(memberId).toMatch(/^c-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const value = { protocolType: '', generation: 0, protocol: null, leader: null, members: [], currentStateTimestamp: 1_000_000 }
    expect(world.written).toEqual([{ group: 'g', value }])
    expect(await world.state()).toBe('Empty')
  })

  it('does not create a group that cannot be written', async () => {
    const world = new World()
    world.log.refuse = 19
    expect((await world.join('')).errorCode).toBe(15)
    expect(await world.state()).toBe('Dead')
  })

  it('keeps the id that fits into a string of the protocol, whatever the client calls itself', async () => {
    const { memberId } = await new World().join('', {}, 9, 'ж'.repeat(16_000))
    expect(bytes(memberId!).length).toBeLessThan(32_767)
  })

  it('lets older clients in at once', async () => {
    const world = new World()
    const call = new Call(world.join('', {}, 3))
    await settle()
    expect(call.answered).toBe(false)
    expect((await world.describe()).groupState).toBe('PreparingRebalance')
    world.clock.advance(3000)
    await settle()
    expect(call.value).toMatchObject({ errorCode: NONE, generationId: 1 })
  })

  it('waits 3 s for others, and 3 more for as long as they come, within the rebalance timeout (KIP-134)', async () => {
    const world = new World()
    const { joined: a } = await world.enter({ rebalanceTimeoutMs: 8000 })
    world.clock.advance(2000)
    const { joined: b } = await world.enter({ rebalanceTimeoutMs: 8000 })
    world.clock.advance(1000)
    await settle()
    expect(a.answered).toBe(false)
    world.clock.advance(2999)
    await world.enter({ rebalanceTimeoutMs: 8000 })
    world.clock.advance(1)
    await settle()
    expect(a.answered).toBe(false)
    world.clock.advance(2000)
    await settle()
    expect([a.value?.generationId, b.value?.generationId, a.value?.members?.length]).toEqual([1, 1, 3])
  })

  it('answers the leader with all members, and the others with none', async () => {
    const world = new World()
    const a = await world.enter({ protocols: [{ name: 'range', metadata: bytes('a') }] })
    const b = await world.enter({ protocols: [{ name: 'range', metadata: bytes('b') }] })
    world.clock.advance(6000)
    await settle()
    const common = { errorCode: NONE, generationId: 1, protocolType: 'consumer', protocolName: 'range', leader: a.id }
    const members = [
      { memberId: a.id, groupInstanceId: null, metadata: bytes('a') },
      { memberId: b.id, groupInstanceId: null, metadata: bytes('b') },
    ]
    expect(a.joined.value).toEqual({ ...common, memberId: a.id, members })
    expect(b.joined.value).toEqual({ ...common, memberId: b.id, members: [] })
    expect(await world.state()).toBe('CompletingRebalance')
  })

  it('chooses a protocol that all know, by their votes', async () => {
    const world = new World()
    const offer = (...names: string[]) => ({ protocols: names.map((name) => ({ name, metadata: bytes('') })) })
    const a = await world.enter(offer('x', 'y', 'z'))
    await world.enter(offer('z', 'y'))
    await world.enter(offer('z', 'y', 'x'))
    world.clock.advance(9000)
    await settle()
    expect(a.joined.value?.protocolName).toBe('z')
  })

  it('refuses who shares no protocol with the others, or is of another kind', async () => {
    const world = new World([given([{ id: 'a' }])])
    expect((await world.join('', { protocols: [{ name: 'other', metadata: bytes('') }] })).errorCode).toBe(23)
    expect((await world.join('', { protocolType: 'connect' })).errorCode).toBe(23)
    expect(await world.state()).toBe('Stable')
  })

  it('calls everybody back when a member comes, and goes on when all are there', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    const c = await world.enter()
    expect(await world.beat('a', 5)).toBe(27)
    const a = new Call(world.join('a'))
    await settle()
    expect([a.answered, c.joined.answered]).toEqual([false, false])
    const b = new Call(world.join('b'))
    await settle()
    expect([a.value?.generationId, b.value?.generationId, c.joined.value?.generationId]).toEqual([6, 6, 6])
    expect(a.value?.members?.map((m) => m.memberId)).toEqual(['a', 'b', c.id])
    expect(world.written).toEqual([])
  })

  it('waits for an id that was given out, but not longer than its session', async () => {
    const world = new World([given([{ id: 'a' }])])
    await world.join('', { sessionTimeoutMs: 6000 })
    const a = new Call(world.join('a', { protocols: [{ name: 'range', metadata: subscription('payments') }] }))
    await settle()
    expect([a.answered, await world.state()]).toEqual([false, 'PreparingRebalance'])
    world.clock.advance(6000)
    await settle()
    expect(a.value).toMatchObject({ errorCode: NONE, generationId: 6 })
  })

  it('goes on without dynamic members who do not come back in time, with a new leader if need be', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    const c = await world.enter({ sessionTimeoutMs: 100_000 })
    for (let i = 0; i < 6; i++) {
      world.clock.advance(9_999)
      expect(await world.beat('a', 5)).toBe(27)
    }
    world.clock.advance(6)
    await settle()
    expect(c.joined.value).toMatchObject({ errorCode: NONE, generationId: 6, leader: c.id })
    expect(await world.beat('a', 5)).toBe(25)
  })

  it('answers a member that joins again while the generation forms', async () => {
    const world = new World()
    const { id } = await world.enter()
    world.clock.advance(3000)
    expect(await world.join(id)).toMatchObject({ errorCode: NONE, generationId: 1, memberId: id })
    const changed = new Call(world.join(id, { protocols: [{ name: 'range', metadata: bytes('new') }] }))
    await settle()
    expect(changed.value).toMatchObject({ errorCode: NONE, generationId: 2 })
  })

  it('answers a follower of a stable group who changed nothing, and rebalances for one who did', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    expect(await world.join('b')).toMatchObject({ errorCode: NONE, generationId: 5, leader: 'a', members: [] })
    expect(await world.state()).toBe('Stable')
    void world.join('b', { protocols: [{ name: 'range', metadata: subscription('payments') }] })
    expect(await world.state()).toBe('PreparingRebalance')
  })

  it('rebalances when the leader of a stable group joins again', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    void world.join('a')
    expect(await world.state()).toBe('PreparingRebalance')
  })

  it('does not know a member whose group is empty', async () => {
    expect((await new World([given([])]).join('a')).errorCode).toBe(25)
  })

  it('answers a request that is sent again, and the one before it', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    const first = new Call(world.join('a'))
    const second = new Call(world.join('a'))
    await settle()
    expect([first.value?.errorCode, second.answered]).toEqual([27, false])
    void world.join('b')
    await settle()
    expect(second.value).toMatchObject({ errorCode: NONE, generationId: 6 })
  })

  it('refuses more members than group.max.size', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])], { maxSize: 2 })
    expect(await world.join('')).toEqual({ errorCode: 81, memberId: '', protocolName: null })
    const a = new Call(world.join('a'))
    const b = new Call(world.join('b'))
    await settle()
    expect([a.value?.errorCode, b.value?.errorCode]).toEqual([NONE, NONE])
  })

  it('lets go of who comes last in a group that has become too large (KIP-389)', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }, { id: 'c' }])], { maxSize: 2 })
    const a = new Call(world.join('a'))
    void world.join('b')
    expect((await world.join('c')).errorCode).toBe(81)
    await settle()
    expect(a.value?.members?.map((m) => m.memberId)).toEqual(['a', 'b'])
  })

  it('keeps nothing of the request', async () => {
    const world = new World()
    const metadata = Buffer.from('a')
    const a = await world.enter({ protocols: [{ name: 'range', metadata }] })
    metadata.fill(0)
    world.clock.advance(3000)
    await settle()
    expect(text(a.joined.value?.members?.[0]?.metadata)).toBe('a')
  })

  it('sends who waits elsewhere when leadership goes, and forgets the rebalance', async () => {
    const world = new World([given([{ id: 'a' }])])
    const b = await world.enter()
    world.elect(world.log)
    await settle()
    expect(b.joined.value?.errorCode).toBe(16)
    expect((await world.join('')).errorCode).toBe(14)
    world.clock.advance(0)
    expect(await world.state()).toBe('Stable')
    expect(await world.beat('a', 5)).toBe(NONE)
  })
})
