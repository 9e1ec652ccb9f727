import { decodeConsumerGroupRecord, encodeConsumerGroupRecord } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import type { CoordinatorRecord } from '../../src/runtime/ports.ts'
import { compacted, emptyShard, facts, replayed } from '../facts.ts'
import { given, givenOffset } from '../support.ts'
import { ConsumerWorld } from './support.ts'
import { ConsumerWorkload } from './workload.ts'

const settled = () => true

describe('replay of consumer groups', () => {
  const seeds = Array.from({ length: 25 }, (_, i) => i + 1)

  it.each(seeds)('of every prefix of the log gives what the live coordinator had (seed %i)', async (seed) => {
    let shard = emptyShard()
    let log = undefined as ConsumerWorld['log'] | undefined
    let at = 0
    const afterStep = async (world: ConsumerWorld) => {
      if (log !== world.log) [shard, log, at] = [emptyShard(), world.log, 0]
      while (at < log!.records.length) shard.replay(log!.records[at++]!, -1)
      if (world.log.highWatermark < at) return
      expect(facts(shard, () => false)).toEqual(facts(await world.shard(), () => false))
    }
    const workload = await new ConsumerWorkload({ seed, steps: 300, afterStep }).run()
    const { records } = workload.world.log
    expect(facts(replayed(compacted(records)), settled)).toEqual(facts(replayed(records), settled))
    expect(facts(replayed([...records, ...records]), settled)).toEqual(facts(replayed(records), settled))
  })

  it('has an id be a classic or a consumer group, whichever its last records say', async () => {
    const world = new ConsumerWorld()
    await world.enterGroup('a')
    const consumer = [...world.log.records]
    const classic = given([{ id: 'x' }])
    const offset = givenOffset('orders', 0, 1)
    const kinds = (...records: CoordinatorRecord[]) => {
      const shard = replayed(records)
      return [[...shard.groups.values()].map((g) => g.state), [...shard.consumerGroups.values()].map((g) => g.state)]
    }
    expect(kinds(classic, ...consumer)).toEqual([[], ['Stable']])
    expect(kinds(...consumer, classic)).toEqual([['Stable'], []])
    expect(kinds(offset, ...consumer)).toEqual([[], ['Stable']])
    expect(kinds(...consumer, offset)).toEqual([[], ['Stable']])
    await world.commit('a', 2, 5, {}, 9)
    await world.heartbeat('a', -1)
    await world.coordinator.deleteGroups({ groupsNames: ['g'] })
    expect(kinds(...world.log.records, offset)).toEqual([['Empty'], []])
  })

  it('passes over tombstones of what is not there, and records that Kafka wrote before', () => {
    const shard = emptyShard()
    shard.replay({ key: new Uint8Array([0, 3, 0, 1, 65]), value: null }, -1)
    shard.replay({ key: new Uint8Array([0, 5, 0, 1, 65, 0, 1, 66]), value: null }, -1)
    expect(shard.consumerGroups.size).toBe(0)
    const legacy = { key: new Uint8Array([0, 4, 0, 1, 65]), value: new Uint8Array([0, 0, 1, 0]) }
    expect(decodeConsumerGroupRecord(legacy.key, legacy.value)?.value).toEqual({ topics: [] })
    shard.replay(legacy, -1)
    expect(shard.consumerGroups.get('A')?.state).toBe('Empty')
    const member = { instanceId: null, rackId: null, clientId: '', clientHost: '', subscribedTopicNames: [] }
    const classicMemberMetadata = { sessionTimeoutMs: 1, supportedProtocols: [{ name: 'x', metadata: new Uint8Array(1) }] }
    const value = { ...member, subscribedTopicRegex: '(', serverAssignor: 'x', rebalanceTimeoutMs: 1, classicMemberMetadata }
    const bad = encodeConsumerGroupRecord('ConsumerGroupMemberMetadata', { groupId: 'A', memberId: 'm' }, value)
    expect(() => shard.replay(bad, -1)).toThrow(/no subscription/)
    expect(() => shard.replay({ key: legacy.key, value: new Uint8Array([0, 9]) }, -1)).toThrow(/version 9/)
  })
})
