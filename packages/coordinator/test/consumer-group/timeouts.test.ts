import { describe, expect, it } from 'vitest'
import { brief, ConsumerWorld, owns } from './support.ts'

describe('a session', () => {
  it('that runs out frees what the member had', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('b')
    world.clock.advance(44_999)
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 3')
    world.clock.advance(1)
    expect(await world.told()).toBe('Assigning 4/3: b@3 -')
    expect(world.events).toContainEqual([
      'group.member-expired',
      { partition: 0, group: 'g', member: 'a', reason: 'its session expired' },
    ])
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 4 orders[0,1,2,3]')
    expect(await brief(world.heartbeat('a', 2))).toBe('error 25')
  })

  it('is as long as the group wants it', async () => {
    const world = new ConsumerWorld([], { sessionTimeoutMs: (group) => (group === 'g' ? 50_000 : 1) })
    await world.enterGroup('a')
    world.clock.advance(49_999)
    expect(await world.told()).toMatch(/^Stable/)
    world.clock.advance(1)
    expect(await world.told()).toBe('Empty 3/3:')
  })

  it('begins anew after a failover', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    await world.enterGroup('s', { instanceId: 'i' })
    world.clock.advance(40_000)
    await world.failOver()
    world.clock.advance(44_999)
    expect(await world.told()).toContain('a@2')
    world.clock.advance(1)
    expect(await world.told()).toBe('Empty 5/5:')
  })

  it('that cannot be ended in the log is tried again', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    world.log.refuse = 19
    world.clock.advance(45_000)
    expect(await world.told()).toContain('a@2')
    world.log.refuse = 0
    world.clock.advance(1000)
    expect(await world.told()).toBe('Empty 3/3:')
  })
})

describe('the rebalance timeout', () => {
  const SLOW = { rebalanceTimeoutMs: 10_000 }

  it('fences who does not give up what it was told to', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', SLOW)
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    world.clock.advance(9_999)
    // It is alive, but still has all of it.
    expect(await brief(world.heartbeat('a', 2, owns([0, 1, 2, 3])))).toBe('epoch 2')
    world.clock.advance(1)
    expect(await world.told()).toBe('Assigning 4/3: b@3 -')
    expect(await brief(world.heartbeat('b', 3))).toBe('epoch 4 orders[0,1,2,3]')
  })

  it('is not forgotten while the log refuses, however often the member is heard of', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', SLOW)
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    world.log.refuse = 19
    world.clock.advance(10_000)
    await world.heartbeat('a', 2, owns([0, 1, 2, 3]))
    world.log.refuse = 0
    world.clock.advance(1000)
    expect(await world.told()).toBe('Assigning 4/3: b@3 -')
  })

  it('is over when it has', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', SLOW)
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    await world.heartbeat('a', 2, owns([0, 1]))
    world.clock.advance(20_000)
    expect(await world.told()).toContain('a@3')
  })

  it('begins anew with more to give up, and after a failover', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', SLOW)
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    world.clock.advance(6_000)
    await world.enterGroup('c')
    await world.enterGroup('d')
    await world.heartbeat('a', 2, owns([0, 1]))
    world.clock.advance(6_000)
    expect(await world.told()).toContain('a@3')
    await world.failOver()
    world.clock.advance(9_999)
    expect(await world.told()).toContain('a@3')
    world.clock.advance(1)
    expect(await world.told()).not.toContain('a@')
  })
})

describe('the clocks of a group', () => {
  it('end with it, and with the shard', async () => {
    const world = new ConsumerWorld()
    const before = world.clock.timers
    await world.enterGroup('a', { rebalanceTimeoutMs: 1 })
    await world.enterGroup('b')
    await world.heartbeat('a', 2)
    expect(world.clock.timers).toBeGreaterThan(before)
    await world.heartbeat('a', -1)
    await world.heartbeat('b', -1)
    expect(world.clock.timers).toBe(before)
    await world.enterGroup('a')
    world.coordinator.runtime.resigned(0)
    expect(world.clock.timers).toBe(0)
  })
})
