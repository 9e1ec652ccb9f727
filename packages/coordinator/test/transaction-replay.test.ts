// Replaying any prefix of __transaction_state gives the state that the live coordinator had there.
import { describe, expect, it } from 'vitest'
import { MalformedError } from '@faultline/protocol'
import type { CoordinatorRecord } from '../src/runtime/ports.ts'
import type { Transaction } from '../src/transaction/transaction.ts'
import type { TransactionShard } from '../src/transaction/transaction-shard.ts'
import { bytes, TestLog } from './support.ts'
import { given, TransactionWorld } from './transaction-support.ts'
import { TransactionWorkload } from './transaction-workload.ts'

function facts({ transactions }: TransactionShard): Transaction[] {
  return [...transactions.values()].sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
}

async function replayed(records: readonly CoordinatorRecord[]): Promise<Transaction[]> {
  const shard = await new TransactionWorld().shard()
  for (const record of records) shard.replay(record)
  return facts(shard)
}

/** The last record of each key, as the log cleaner leaves them. */
function compacted(records: readonly CoordinatorRecord[]): CoordinatorRecord[] {
  const last = new Map(records.map((record, i) => [String(record.key), i]))
  return records.filter((record, i) => last.get(String(record.key)) === i)
}

describe('replay of transactions', () => {
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1)

  it.each(seeds)('of every prefix gives what the live coordinator had (seed %i)', async (seed) => {
    let shard = await new TransactionWorld().shard()
    let log: TestLog | undefined
    let at = 0
    const afterStep = async (world: TransactionWorld) => {
      if (log !== world.log) [shard, log, at] = [await new TransactionWorld().shard(), world.log, 0]
      while (at < log.records.length) shard.replay(log.records[at++]!)
      // What is written is there at once; answers about it wait.
      if (log.highWatermark < at) return
      const live = await world.shard()
      expect(facts(shard)).toEqual(facts(live))
      const ending = facts(live).filter(({ state }) => state.startsWith('Prepare'))
      expect([...live.endings.keys()].sort().filter((id) => !ending.some((t) => t.transactionalId === id))).toEqual([])
    }
    const workload = await new TransactionWorkload({ seed, steps: 400, afterStep }).run()
    expect(workload.violations).toEqual([])
    const { records } = workload.world.log
    const whole = await replayed(records)
    expect(await replayed(compacted(records))).toEqual(whole)
    expect(await replayed([...records, ...records])).toEqual(whole)
  })

  it('forgets what has a tombstone, with the epoch that only memory knew', async () => {
    const world = new TransactionWorld([given()])
    await world.init({ producerId: 7, producerEpoch: 5 })
    const shard = await world.shard()
    expect(shard.lastEpochs.get('t')).toBe(5)
    shard.replay({ key: given().key, value: null })
    expect([shard.transactions.size, shard.lastEpochs.size]).toEqual([0, 0])
  })

  it('leaves records of other kinds alone, and refuses what is none', async () => {
    const shard = await new TransactionWorld().shard()
    shard.replay({ key: new Uint8Array([0, 1, 0, 1, 65]), value: bytes('whatever') })
    expect(shard.transactions.size).toBe(0)
    for (const key of [[], [0], [0, 0, 0, 9]])
      expect(() => shard.replay({ key: new Uint8Array(key), value: null })).toThrow(MalformedError)
    expect(() => shard.replay({ key: given().key, value: bytes('junk') })).toThrow(MalformedError)
    expect(shard.transactions.size).toBe(0)
  })

  it('goes on past bytes that are no records', async () => {
    const world = new TransactionWorld()
    world.elect(new TestLog([given(), { key: bytes('x'), value: null }, given({ transactionalId: 'u' })]))
    world.clock.advance(0)
    expect(facts(await world.shard()).map((t) => t.transactionalId)).toEqual(['t', 'u'])
    expect(world.events.at(-1)).toEqual(['coordinator.loaded', { partition: 0, error: 0, records: 3, skipped: 1, ms: 0 }])
  })
})
