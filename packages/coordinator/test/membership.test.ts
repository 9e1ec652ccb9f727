import { describe, expect, it } from 'vitest'
import { Call, given, settle, World } from './support.ts'

describe('Heartbeat', () => {
  it.each([
    ['an empty group id', ['a', 5, null, ''] as const, 24],
    ['an unknown group', ['a', 5, null, 'other'] as const, 25],
    ['an unknown member', ['x', 5] as const, 25],
    ['an unknown instance', ['a', 5, 'i'] as const, 25],
    ['an old generation', ['a', 4] as const, 22],
    ['a generation to come', ['a', 6] as const, 22],
  ])('refuses %s', async (_, args, error) => {
    expect(await new World([given([{ id: 'a' }])]).beat(...(args as [string, number]))).toBe(error)
  })

  it('is good in a stable group, and while assignments are awaited', async () => {
    const world = new World([given([{ id: 'a' }])])
    expect(await world.beat('a', 5)).toBe(0)
    void world.join('a')
    expect(await world.state()).toBe('CompletingRebalance')
    expect(await world.beat('a', 6)).toBe(0)
  })

  it('is good while the partition loads, as nothing can be said yet', async () => {
    const world = new World([given([{ id: 'a' }])])
    world.elect(world.log)
    expect(await world.beat('a', 5)).toBe(0)
  })

  it('goes elsewhere when the partition does', async () => {
    const world = new World([given([{ id: 'a' }])])
    world.coordinator.runtime.resigned(0)
    expect(await world.beat('a', 5)).toBe(16)
  })
})

describe('sessions', () => {
  it('expire after silence, and the rest share', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    world.clock.advance(9999)
    expect(await world.beat('b', 5)).toBe(0)
    world.clock.advance(1)
    expect([await world.beat('b', 5), await world.beat('a', 5)]).toEqual([27, 25])
  })

  it('expire static members too, and free their instance ids', async () => {
    const world = new World([given([{ id: 'a', instance: 'i' }, { id: 'b' }])])
    world.clock.advance(9999)
    await world.beat('b', 5)
    world.clock.advance(1)
    expect([await world.beat('b', 5), await world.beat('a', 5, 'i')]).toEqual([27, 25])
    const back = new Call(world.join('', { groupInstanceId: 'i' }))
    void world.join('b')
    await settle()
    expect(back.value).toMatchObject({ errorCode: 0, generationId: 6 })
  })

  it('leave an empty group, written down, when the last member is gone', async () => {
    const world = new World([given([{ id: 'a' }])])
    world.clock.advance(10_000)
    const value = expect.objectContaining({ protocolType: 'consumer', generation: 6, protocol: null, leader: null, members: [] })
    expect(world.written).toEqual([{ group: 'g', value }])
    expect(await world.state()).toBe('Empty')
  })

  it('try again to write that a group is empty', async () => {
    const world = new World([given([{ id: 'a' }])])
    world.log.refuse = 19
    world.clock.advance(10_000)
    expect(await world.state()).toBe('PreparingRebalance')
    world.log.refuse = 0
    world.clock.advance(1000)
    expect(await world.state()).toBe('Empty')
  })

  it('are kept by commits', async () => {
    const world = new World([given([{ id: 'a' }])])
    for (let i = 0; i < 5; i++) {
      world.clock.advance(9999)
      expect(await world.commitError('a', 5, i)).toBe(0)
    }
    expect(await world.state()).toBe('Stable')
  })

  it('begin anew after an election', async () => {
    const world = new World([given([{ id: 'a' }])])
    world.clock.advance(9999)
    world.elect(world.log)
    world.clock.advance(9999)
    expect(await world.beat('a', 5)).toBe(0)
  })

  it('do not run while a member waits for the others, or for its assignment', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b', sessionMs: 50_000 }])])
    const a = new Call(world.join('a', { sessionTimeoutMs: 6000 }))
    world.clock.advance(20_000)
    void world.join('b')
    await settle()
    expect(a.value).toMatchObject({ errorCode: 0, generationId: 6 })
    const follower = new Call(world.sync('b', 6))
    for (let i = 0; i < 11; i++) {
      world.clock.advance(5000)
      await world.beat('a', 6)
    }
    await world.sync('a', 6, { b: 'B' })
    await settle()
    expect(follower.value?.errorCode).toBe(0)
  })

  it('of new members whose client is gone end after five minutes', async () => {
    const world = new World([given([{ id: 'a', sessionMs: 400_000 }])])
    const b = await world.enter({ rebalanceTimeoutMs: 400_000 })
    world.clock.advance(299_999)
    await settle()
    expect(b.joined.answered).toBe(false)
    world.clock.advance(1)
    await settle()
    expect(b.joined.value).toEqual({ errorCode: 25, memberId: '', protocolName: null })
  })

  it('leave no timer behind when the group is gone', async () => {
    const world = new World([given([{ id: 'a' }])])
    await world.leave([{ memberId: 'a' }])
    await world.join('')
    world.clock.advance(10_000)
    const before = world.clock.timers
    await world.coordinator.deleteGroups({ groupsNames: ['g'] })
    expect(await world.state()).toBe('Dead')
    expect([before, world.clock.timers]).toEqual([1, 1])
  })
})

describe('LeaveGroup', () => {
  it('answers for each member', async () => {
    const world = new World([given([{ id: 'a', instance: 'i' }, { id: 'b' }, { id: 'c' }])])
    const { memberId: pending } = await world.join('')
    const left = await world.leave([
      { memberId: '', groupInstanceId: 'i' },
      { memberId: 'b' },
      { memberId: pending! },
      { memberId: 'x' },
      { memberId: '', groupInstanceId: 'j' },
      { memberId: '' },
      { memberId: 'c', groupInstanceId: 'i' },
    ])
    expect(left.errorCode).toBe(0)
    expect(left.members?.map((m) => m.errorCode)).toEqual([0, 0, 0, 25, 25, 25, 25])
    expect(await world.beat('c', 5)).toBe(27)
  })

  it('fences who was replaced', async () => {
    const world = new World([given([{ id: 'a', instance: 'i' }])])
    await world.join('', { groupInstanceId: 'i' })
    expect((await world.leave([{ memberId: 'a', groupInstanceId: 'i' }])).members?.[0]?.errorCode).toBe(82)
  })

  it('knows nobody in a group that is not there', async () => {
    const world = new World()
    expect(await world.leave([{ memberId: 'a' }])).toMatchObject({ errorCode: 0, members: [{ errorCode: 25 }] })
    expect((await world.leave([{ memberId: 'a' }], '')).errorCode).toBe(24)
  })

  it('answers older clients with one error', async () => {
    const world = new World([given([{ id: 'a' }])])
    const client = { version: 2, clientId: 'c', clientHost: '/h' }
    const ask = (memberId: string) => world.coordinator.leaveGroup({ groupId: 'g', memberId, members: [] }, client)
    expect([await ask('x'), await ask('a')]).toEqual([{ errorCode: 25 }, { errorCode: 0 }])
  })

  it('lets those go on who waited only for the one who left', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b' }])])
    const a = new Call(world.join('a'))
    await world.leave([{ memberId: 'b' }])
    await settle()
    expect(a.value).toMatchObject({ errorCode: 0, generationId: 6 })
  })

  it('writes that the group is empty when the last one goes, and answers then', async () => {
    const world = new World([given([{ id: 'a' }])])
    world.log.autoCommit = false
    const left = new Call(world.leave([{ memberId: 'a' }]))
    await settle()
    expect(left.answered).toBe(false)
    world.log.commit()
    await settle()
    expect(left.value?.members?.[0]?.errorCode).toBe(0)
    expect(world.written.map((r) => r.value)).toEqual([expect.objectContaining({ generation: 6, members: [] })])
  })

  it('tells who waits in the group that it was removed', async () => {
    const world = new World([given([{ id: 'a' }, { id: 'b', instance: 'i' }])])
    const b = new Call(world.join('b', { groupInstanceId: 'i', protocols: [{ name: 'range', metadata: new Uint8Array(1) }] }))
    await world.leave([{ memberId: '', groupInstanceId: 'i' }])
    await settle()
    expect(b.value).toMatchObject({ errorCode: 25, memberId: '' })
  })
})
