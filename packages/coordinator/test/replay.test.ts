import { encodeGroupMetadataKey, encodeOffsetCommitKey } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { compacted, emptyShard, facts, replayed } from './facts.ts'
import { bytes, given, givenOffset, type World } from './support.ts'
import { Workload } from './workload.ts'

const everything = () => true

describe('replay', () => {
  const seeds = Array.from({ length: 25 }, (_, i) => i + 1)

  it.each(seeds)('of every prefix of the log gives what the live coordinator had (seed %i)', async (seed) => {
    let shard = emptyShard()
    let log = undefined as World['log'] | undefined
    let at = 0
    const afterStep = async (world: World) => {
      if (log !== world.log) [shard, log, at] = [emptyShard(), world.log, 0]
      while (at < log!.records.length) shard.replay(log!.records[at++]!, -1)
      if (world.log.highWatermark < at) return
      const live = await world.shard()
      const settled = (id: string) => ['Stable', 'Empty'].includes(live.groups.get(id)?.state ?? 'Empty')
      expect(facts(shard, settled)).toEqual(facts(live, settled))
    }
    const workload = await new Workload({ seed, steps: 400, afterStep }).run()
    const { records } = workload.world.log
    expect(facts(replayed(compacted(records)), everything)).toEqual(facts(replayed(records), everything))
    expect(facts(replayed([...records, ...records]), everything)).toEqual(facts(replayed(records), everything))
  })

  it('keeps positions whose group is gone as a simple group, whatever comes first', () => {
    const tombstone = { key: encodeGroupMetadataKey({ group: 'g' }), value: null }
    const orders = [
      [given([{ id: 'a' }]), givenOffset('orders', 0, 1), tombstone],
      [given([{ id: 'a' }]), tombstone, givenOffset('orders', 0, 1)],
      [givenOffset('orders', 0, 1)],
    ]
    const all = orders.map((records) => facts(replayed(records), everything))
    expect(all[1]).toEqual(all[0])
    expect(all[2]).toEqual(all[0])
    const forgotten = { key: encodeOffsetCommitKey({ group: 'g', topic: 'orders', partition: 0 }), value: null }
    expect(replayed([...orders[0]!, forgotten]).groups.size).toBe(1)
    expect(replayed([...orders[0]!, forgotten, tombstone]).groups.size).toBe(0)
  })

  it('leaves records of other kinds alone, and refuses what is none', () => {
    const shard = emptyShard()
    shard.replay({ key: new Uint8Array([0, 10, 0, 1, 65]), value: bytes('whatever') }, -1)
    expect(shard.groups.size).toBe(0)
    for (const key of [[], [0], [0, 2, 0, 9], [255, 255]]) {
      expect(() => shard.replay({ key: new Uint8Array(key), value: null }, -1)).toThrow(/./)
    }
    expect(() => shard.replay({ key: encodeGroupMetadataKey({ group: 'g' }), value: bytes('junk') }, -1)).toThrow(/./)
    expect(shard.groups.size).toBe(0)
  })
})
