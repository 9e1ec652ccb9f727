import { describe, expect, it } from 'vitest'
import { bytes, Call, given, settle, subscription, text, World } from './support.ts'

const LEADER = { id: 'a', instance: 'i', assignment: 'A' }
const FOLLOWER = { id: 'b', instance: 'j', assignment: 'B' }
const I = { groupInstanceId: 'i' }
const J = { groupInstanceId: 'j' }

describe('a static member', () => {
  it('joins at once, with an id made of its instance id', async () => {
    const world = new World()
    const call = new Call(world.join('', I))
    world.clock.advance(3000)
    await settle()
    expect(call.value).toMatchObject({ errorCode: 0, generationId: 1 })
    expect(call.value?.memberId).toMatch(/^i-[0-9a-f-]{36}$/)
  })

  it('takes its place in a stable group again without a rebalance; only a record is written', async () => {
    const world = new World([given([LEADER, FOLLOWER])])
    const answer = await world.join('', J)
    expect(answer).toMatchObject({ errorCode: 0, generationId: 5, leader: 'a', members: [], skipAssignment: false })
    const id = answer.memberId!
    expect(id).not.toBe('b')
    expect(world.written).toEqual([
      {
        group: 'g',
        value: expect.objectContaining({
          generation: 5,
          leader: 'a',
          members: [
            expect.objectContaining({ memberId: 'a', assignment: bytes('A') }),
            expect.objectContaining({ memberId: id, groupInstanceId: 'j', assignment: bytes('B') }),
          ],
        }),
      },
    ])
    expect(text((await world.sync(id, 5, {}, J)).assignment)).toBe('B')
    expect(await world.beat(id, 5, 'j')).toBe(0)
    expect(await world.state()).toBe('Stable')
  })

  it('that leads hears so, and that it need not assign (KIP-814)', async () => {
    const world = new World([given([LEADER, FOLLOWER])])
    const answer = await world.join('', I)
    expect(answer).toMatchObject({ generationId: 5, leader: answer.memberId, skipAssignment: true })
    expect(answer.members?.map((m) => m.memberId)).toEqual([answer.memberId, 'b'])
  })

  it('that leads with an older client hears the id that it had, so that it does not assign', async () => {
    const world = new World([given([LEADER, FOLLOWER])])
    const answer = await world.join('', I, 8)
    expect(answer).toMatchObject({ generationId: 5, leader: 'a', members: [] })
    expect(answer.skipAssignment).toBeUndefined()
    void world.join(answer.memberId!, I)
    expect(await world.state()).toBe('PreparingRebalance')
  })

  it('fences whom it replaced, everywhere', async () => {
    const world = new World([given([LEADER])])
    await world.join('', I)
    expect((await world.join('a', I)).errorCode).toBe(82)
    expect((await world.sync('a', 5, {}, I)).errorCode).toBe(82)
    expect(await world.beat('a', 5, 'i')).toBe(82)
    expect(await world.commitError('a', 5, 1, I)).toBe(82)
    expect(await world.beat('a', 5)).toBe(25)
  })

  it('stays who it was when the record cannot be written', async () => {
    const world = new World([given([LEADER])])
    world.log.refuse = 19
    expect((await world.join('', I)).errorCode).toBe(15)
    expect(await world.beat('a', 5, 'i')).toBe(0)
  })

  it('makes the group rebalance if it changes the protocol that would be chosen', async () => {
    const world = new World()
    const both = { protocols: ['range', 'other'].map((name) => ({ name, metadata: bytes('') })) }
    const first = new Call(world.join('', { ...I, ...both }))
    world.clock.advance(3000)
    await settle()
    const old = first.value!.memberId!
    await world.sync(old, 1, { [old]: 'A' }, I)
    const again = new Call(world.join('', { ...I, protocols: [...both.protocols].reverse() }))
    await settle()
    expect(again.value).toMatchObject({ generationId: 2, protocolName: 'other' })
  })

  it('keeps the generation although what it subscribes to changed, as Kafka does', async () => {
    const world = new World([given([LEADER])])
    const protocols = [{ name: 'range', metadata: subscription('payments') }]
    expect(await world.join('', { ...I, protocols })).toMatchObject({ generationId: 5 })
  })

  it('makes the group rebalance when it comes while assignments are awaited; who waited for it is fenced', async () => {
    const world = new World([given([LEADER, FOLLOWER])])
    void world.join('a', I)
    void world.join('b', J)
    await settle()
    const old = new Call(world.sync('b', 6, {}, J))
    const back = new Call(world.join('', J))
    await settle()
    expect([old.value?.errorCode, back.answered, await world.state()]).toEqual([82, false, 'PreparingRebalance'])
    void world.join('a', I)
    await settle()
    expect(back.value).toMatchObject({ errorCode: 0, generationId: 7 })
  })

  it('takes over the join of whom it replaced during a rebalance', async () => {
    const world = new World([given([LEADER, FOLLOWER])])
    const protocols = [{ name: 'range', metadata: bytes('x') }]
    const old = new Call(world.join('b', { ...J, protocols }))
    const back = new Call(world.join('', J))
    await settle()
    expect([old.value?.errorCode, back.answered]).toEqual([82, false])
    void world.join('a', I)
    await settle()
    expect(back.value).toMatchObject({ errorCode: 0, generationId: 6 })
  })

  it('is kept in a generation that it did not join, until its session ends', async () => {
    const world = new World([given([LEADER, { ...FOLLOWER, sessionMs: 200_000 }])])
    const a = new Call(world.join('a', I))
    world.clock.advance(60_000)
    await settle()
    expect(a.value?.members?.map((m) => m.memberId)).toEqual(['a', 'b'])
  })

  it('holds a rebalance open when nobody at all came', async () => {
    const world = new World([
      given([
        { ...LEADER, sessionMs: 500_000 },
        { id: 'c', sessionMs: 500_000 },
      ]),
    ])
    await world.leave([{ memberId: 'c' }])
    world.clock.advance(60_000)
    expect(await world.state()).toBe('PreparingRebalance')
    const a = new Call(world.join('a', I))
    await settle()
    expect(a.value).toMatchObject({ errorCode: 0, generationId: 6 })
  })

  it('is known by its instance after a failover', async () => {
    const world = new World([given([LEADER])])
    const { memberId } = await world.join('', I)
    world.elect(world.log)
    world.clock.advance(0)
    expect(await world.beat('a', 5, 'i')).toBe(82)
    expect(await world.beat(memberId!, 5, 'i')).toBe(0)
  })
})
