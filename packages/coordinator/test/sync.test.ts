import { describe, expect, it } from 'vitest'
import { bytes, Call, given, settle, text, World } from './support.ts'

/** Two members who have joined generation 1; the first leads. */
async function completing(world = new World()) {
  const a = await world.enter()
  const b = await world.enter()
  world.clock.advance(6000)
  await settle()
  void world.written
  return { world, a: a.id, b: b.id }
}

describe('SyncGroup', () => {
  it('writes the assignment and gives everyone theirs; a member without one gets nothing', async () => {
    const { world, a, b } = await completing()
    const follower = new Call(world.sync(b, 1))
    await settle()
    expect(follower.answered).toBe(false)
    const answer = await world.sync(a, 1, { [a]: 'A', stranger: 'S' })
    expect(answer).toEqual({ errorCode: 0, protocolType: 'consumer', protocolName: 'range', assignment: bytes('A') })
    await settle()
    expect(follower.value).toMatchObject({ errorCode: 0, assignment: bytes('') })
    const member = { clientId: 'c', clientHost: '/h', groupInstanceId: null, rebalanceTimeout: 60_000, sessionTimeout: 10_000 }
    expect(world.written).toEqual([
      {
        group: 'g',
        value: expect.objectContaining({
          protocolType: 'consumer',
          generation: 1,
          protocol: 'range',
          leader: a,
          members: [
            expect.objectContaining({ ...member, memberId: a, assignment: bytes('A') }),
            expect.objectContaining({ ...member, memberId: b, assignment: bytes('') }),
          ],
        }),
      },
    ])
    expect(await world.state()).toBe('Stable')
  })

  it('answers nobody before the assignment is committed', async () => {
    const { world, a, b } = await completing()
    world.log.autoCommit = false
    const early = new Call(world.sync(b, 1))
    const leader = new Call(world.sync(a, 1, { [a]: 'A', [b]: 'B' }))
    const late = new Call(world.sync(b, 1))
    await settle()
    expect([early.answered, leader.answered, late.answered]).toEqual([false, false, false])
    world.log.commit()
    await settle()
    expect([early, leader, late].map((c) => text(c.value?.assignment))).toEqual(['B', 'A', 'B'])
  })

  it('starts over when the assignment cannot be written', async () => {
    const { world, a, b } = await completing()
    const follower = new Call(world.sync(b, 1))
    world.log.refuse = 19
    expect((await world.sync(a, 1, { [a]: 'A' })).errorCode).toBe(15)
    await settle()
    expect(follower.value?.errorCode).toBe(15)
    expect(await world.state()).toBe('PreparingRebalance')
    world.log.refuse = 0
    const again = new Call(world.join(a))
    void world.join(b)
    await settle()
    expect(again.value).toMatchObject({ errorCode: 0, generationId: 2 })
  })

  it('says that the assignment is too large for the log', async () => {
    const { world, a } = await completing()
    world.log.maxBatchBytes = 100
    expect((await world.sync(a, 1, { [a]: 'A'.repeat(200) })).errorCode).toBe(-1)
  })

  it('gives the current assignment again', async () => {
    const world = new World([given([{ id: 'a', assignment: 'A' }])])
    expect(text((await world.sync('a', 5)).assignment)).toBe('A')
    expect(world.written).toEqual([])
  })

  it.each([
    ['an empty group id', { groupId: '' }, 'a', 5, 24],
    ['an unknown group', { groupId: 'other' }, 'a', 5, 25],
    ['an unknown member', {}, 'x', 5, 25],
    ['an unknown instance', { groupInstanceId: 'i' }, 'a', 5, 25],
    ['an old generation', {}, 'a', 4, 22],
    ['another protocol type', { protocolType: 'connect' }, 'a', 5, 23],
    ['another protocol', { protocolName: 'other' }, 'a', 5, 23],
    ['no protocol, where it must be told', { protocolName: null }, 'a', 5, 23],
  ])('refuses %s', async (_, options, memberId, generation, error) => {
    const world = new World([given([{ id: 'a' }])])
    expect((await world.sync(memberId, generation, {}, options)).errorCode).toBe(error)
  })

  it('does not ask older clients for the protocol', async () => {
    const world = new World([given([{ id: 'a' }])])
    expect((await world.sync('a', 5, {}, { protocolType: null, protocolName: null }, 4)).errorCode).toBe(0)
  })

  it('sends members back to join while a rebalance is under way', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    void world.join('a')
    expect((await world.sync('b', 5)).errorCode).toBe(27)
  })

  it('sends who waits for an assignment back to join when a member comes', async () => {
    const { world, b } = await completing()
    const follower = new Call(world.sync(b, 1))
    await world.enter()
    await settle()
    expect(follower.value?.errorCode).toBe(27)
    expect(await world.state()).toBe('PreparingRebalance')
  })

  it('drops members that do not sync within the rebalance timeout', async () => {
    const { world, a, b } = await completing()
    const follower = new Call(world.sync(b, 1))
    for (let i = 0; i < 12; i++) {
      world.clock.advance(5000)
      await world.beat(a, 1)
    }
    await settle()
    expect(follower.value?.errorCode).toBe(27)
    expect(await world.beat(a, 1)).toBe(25)
    const again = new Call(world.join(b))
    await settle()
    expect(again.value).toMatchObject({ generationId: 2, leader: b })
  })

  it('drops a follower that never fetches its assignment', async () => {
    const { world, a, b } = await completing()
    await world.sync(a, 1, { [a]: 'A', [b]: 'B' })
    for (let i = 0; i < 12; i++) {
      world.clock.advance(5000)
      await world.beat(a, 1)
      await world.beat(b, 1)
    }
    expect(await world.beat(b, 1)).toBe(25)
    expect(await world.beat(a, 1)).toBe(27)
  })

  it('keeps nothing of the request', async () => {
    const { world, a } = await completing()
    const assignment = Buffer.from('A')
    await world.sync(a, 1, {}, { assignments: [{ memberId: a, assignment }] })
    assignment.fill(0)
    expect(text((await world.sync(a, 1)).assignment)).toBe('A')
  })
})
