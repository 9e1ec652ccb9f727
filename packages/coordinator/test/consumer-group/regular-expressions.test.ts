import { decodeConsumerGroupRecord, encodeConsumerGroupRecord } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { brief, ConsumerWorld } from './support.ts'

const regex = (subscribedTopicRegex: string, subscribedTopicNames: string[] | null = null) => ({
  subscribedTopicRegex,
  subscribedTopicNames,
})
const ORANGES = 'AAAAAAAAAAAAAAAAAAAAAw'

/** Resolving runs beside requests. */
function resolve(world: ConsumerWorld): void {
  world.clock.advance(0)
}

describe('a regular expression', () => {
  it('is resolved after the answer; then the group has a new epoch', async () => {
    const world = new ConsumerWorld()
    expect(await brief(world.enterGroup('a', regex('or.*')))).toBe('epoch 1 -')
    expect(await world.told()).toBe('Stable 1/1: a@1 -')
    world.written.splice(0)
    resolve(world)
    expect(world.written.map(({ type, value }) => [type, value])).toEqual([
      ['ConsumerGroupRegularExpression', { topics: ['orders'], version: 0, timestamp: world.clock.wall() }],
      ['ConsumerGroupMetadata', { epoch: 2, metadataHash: expect.any(Number) }],
    ])
    expect(await brief(world.heartbeat('a', 1))).toBe('epoch 2 orders[0,1,2,3]')
  })

  it('stands for whole names', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', regex('order|pay.+'))
    resolve(world)
    expect(await brief(world.heartbeat('a', 1))).toBe('epoch 2 payments[0,1,2,3]')
  })

  it('counts beside names', async () => {
    const world = new ConsumerWorld()
    expect(await brief(world.enterGroup('a', regex('or.*', ['payments'])))).toBe('epoch 2 payments[0,1,2,3]')
    resolve(world)
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 3 orders[0,1,2,3] payments[0,1,2,3]')
  })

  it.each([
    ['(', 'missing closing )'],
    ['x[', 'missing closing ]'],
    ['*', 'missing argument to repetition operator'],
    ['(?=a)b', 'invalid or unsupported Perl syntax'],
    ['(a)\\1', 'invalid escape sequence'],
  ])('that is none (%s) is refused', async (wrong, why) => {
    const world = new ConsumerWorld()
    expect(await world.enterGroup('a', regex(wrong))).toEqual({
      errorCode: 128,
      errorMessage: `SubscribedTopicRegex \`${wrong}\` is not a valid regular expression: ${why}.`,
    })
    expect(await world.told()).toBe('error 69')
    expect(world.written).toEqual([])
  })

  it.each([
    ['of thousands of characters', `a${'b'.repeat(4096)}`],
    ['that is long when its repetitions are written out', '(?:x{1000})'.repeat(300)],
    ['that repeats something long', `(${'a'.repeat(200)}){2,100}`],
  ])('%s is refused before it can keep anybody busy', async (_, large) => {
    const world = new ConsumerWorld()
    expect(await world.enterGroup('a', regex(large))).toMatchObject({
      errorCode: 128,
      errorMessage: expect.stringMatching(/: expression too large\.$/),
    })
    expect(await brief(world.enterGroup('a', regex('orders-[0-9]{1,3}')))).toBe('epoch 1 -')
  })

  it('that stands in the log and is none stands for no topic', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    const [member] = world.log.records
    const { key, value } = decodeConsumerGroupRecord(member!.key, member!.value) as { key: object; value: object }
    const bad = encodeConsumerGroupRecord('ConsumerGroupMemberMetadata', key, { ...value, subscribedTopicRegex: '(' })
    world.log.append([bad])
    await world.failOver()
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2')
    resolve(world)
    expect(await world.told()).toBe('Stable 2/2: a@2 orders[0,1,2,3]')
  })

  it('that another member has is resolved already', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', regex('or.*'))
    resolve(world)
    expect(await brief(world.enterGroup('b', regex('or.*')))).toBe('epoch 3 orders[2,3]')
    expect(await brief(world.heartbeat('a', 1))).toBe('epoch 3 orders[0,1]')
  })

  it('of the empty text is none', async () => {
    const world = new ConsumerWorld()
    expect(await brief(world.enterGroup('a', regex('')))).toBe('epoch 1 -')
    resolve(world)
    expect(await brief(world.heartbeat('a', 1))).toBe('epoch 1')
  })

  it('is resolved again when a topic comes, but not within ten seconds', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', regex('or.*'))
    resolve(world)
    await world.heartbeat('a', 1)
    world.createTopic('oranges', ORANGES, 2)
    await world.heartbeat('a', 2)
    world.clock.advance(9_999)
    await world.heartbeat('a', 2)
    resolve(world)
    expect(await world.told()).toMatch(/^Stable 2\/2/)
    world.clock.advance(1)
    await world.heartbeat('a', 2)
    resolve(world)
    expect(await brief(world.heartbeat('a', 2))).toBe(`epoch 3 ${ORANGES}[0,1] orders[0,1,2,3]`)
  })

  it('is resolved again after ten minutes, in which it was missed that a topic came', async () => {
    const world = new ConsumerWorld([], { sessionTimeoutMs: () => 3_600_000 })
    await world.enterGroup('a', regex('or.*'))
    resolve(world)
    world.topics.set('oranges', ORANGES)
    world.clock.advance(599_999)
    await world.heartbeat('a', 1)
    resolve(world)
    expect(await world.told()).toMatch(/^Stable 2\/2/)
    world.partitionCounts.set('oranges', 1)
    world.clock.advance(1)
    await world.heartbeat('a', 2)
    resolve(world)
    expect(await brief(world.heartbeat('a', 2))).toBe(`epoch 3 ${ORANGES}[0] orders[0,1,2,3]`)
  })

  it('may stand for a topic that is gone: that is not read any more', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', regex('.*'))
    resolve(world)
    await world.heartbeat('a', 1)
    world.deleteTopic('payments')
    expect(await brief(world.heartbeat('a', 2))).toBe('epoch 2 orders[0,1,2,3]')
  })

  it('that nobody has any more is forgotten', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', regex('or.*'))
    await world.enterGroup('b', regex('pay.*'))
    resolve(world)
    world.clock.advance(10_000)
    await world.heartbeat('a', 1)
    resolve(world)
    world.written.splice(0)
    const forgotten = () => world.written.filter(({ type }) => type === 'ConsumerGroupRegularExpression').map(({ key }) => key)
    await world.heartbeat('b', -1)
    expect(forgotten()).toEqual([{ groupId: 'g', regularExpression: 'pay.*' }])
    await world.heartbeat('a', 1, { topicPartitions: [] })
    await world.heartbeat('a', 4, { subscribedTopicRegex: '', subscribedTopicNames: ['payments'], topicPartitions: [] })
    expect(forgotten()).toEqual([{ groupId: 'g', regularExpression: 'or.*' }])
  })

  it('is resolved in slices', async () => {
    const world = new ConsumerWorld()
    for (let i = 0; i < 500; i++) world.topics.set(`topic-${i}`, ORANGES)
    await world.enterGroup('a', regex('or.*'))
    world.clock.lookMs = 1
    resolve(world)
    expect(await world.told()).toMatch(/^Stable 1\/1/)
    for (let i = 0; i < 100; i++) resolve(world)
    world.clock.lookMs = 0
    expect(await world.told()).toMatch(/^Assigning 2\/1/)
  })

  it('survives a failover, and a group that goes while it is resolved', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a', regex('or.*'))
    resolve(world)
    await world.failOver()
    expect(await brief(world.heartbeat('a', 1))).toBe('epoch 2 orders[0,1,2,3]')
    await world.enterGroup('b', { groupId: 'h', ...regex('or.*') })
    await world.heartbeat('b', -1, { groupId: 'h' })
    await world.coordinator.deleteGroups({ groupsNames: ['h'] })
    resolve(world)
    expect(await world.told('h')).toBe('error 69')
  })
})
