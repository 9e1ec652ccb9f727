// AddPartitionsToTxn and EndTxn: what each says in each state, and what it writes.
import { Errors } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import type { TransactionState } from '../src/transaction/transaction-state.ts'
import { Call, settle } from './support.ts'
import { given, later, P, START, TestMarkers, TransactionWorld } from './transaction-support.ts'

const { CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_ID_MAPPING, INVALID_TXN_STATE, NONE, PRODUCER_FENCED } = Errors
const OTHER = { producerId: 8, producerEpoch: 5 }

/** A world in which the id is in this state; a transaction that ends does not get further. */
function worldIn(state: TransactionState): TransactionWorld {
  const open = state === 'Ongoing' || state.startsWith('Prepare')
  const record = given({ state, at: open ? ['a-0'] : [], startTimestamp: state === 'Empty' ? -1 : START })
  return new TransactionWorld([record], {}, { markers: new TestMarkers().hold() })
}

describe('AddPartitionsToTxn', () => {
  it('opens a transaction, and makes it grow', async () => {
    const world = new TransactionWorld([given()])
    world.clock.advance(500)
    expect(await world.add(P, ['a-0', 'a-1'])).toBe(NONE)
    world.clock.advance(500)
    expect(await world.add(P, ['b-0'])).toBe(NONE)
    expect(await world.add(P, ['a-1', 'b-0'])).toBe(NONE)
    expect(world.written).toEqual(['Ongoing 7/5 a-0,a-1', 'Ongoing 7/5 a-0,a-1,b-0'])
    const topics = [
      { topic: 'a', partitions: [0, 1] },
      { topic: 'b', partitions: [0] },
    ]
    expect(await world.describe()).toMatchObject({ transactionStartTimeMs: START + 500, topics })
  })

  it('that names nothing opens one, too', async () => {
    const world = new TransactionWorld([given()])
    expect(await world.add(P, [])).toBe(NONE)
    expect(world.written).toEqual(['Ongoing 7/5'])
  })

  it.each([
    ['Empty', P, NONE],
    ['Ongoing', P, NONE],
    ['CompleteCommit', P, NONE],
    ['CompleteAbort', P, NONE],
    ['Empty', OTHER, INVALID_PRODUCER_ID_MAPPING],
    ['Ongoing', OTHER, INVALID_PRODUCER_ID_MAPPING],
    ['Ongoing', later(P, 1), PRODUCER_FENCED],
    ['Ongoing', later(P, -1), PRODUCER_FENCED],
    ['CompleteAbort', later(P, -1), PRODUCER_FENCED],
  ] as const)('in %s from %o: %i', async (state, who, error) => {
    const world = worldIn(state)
    expect(await world.add(who, ['a-0', 'b-0'])).toBe(error)
    expect(world.written).toHaveLength(error === NONE ? 1 : 0)
  })

  it('of an id that is not known, or empty', async () => {
    const world = new TransactionWorld()
    expect(await world.add(P, ['a-0'])).toBe(INVALID_PRODUCER_ID_MAPPING)
    expect(await world.add(P, ['a-0'], 0, '')).toBe(Errors.INVALID_REQUEST)
    expect(await world.verify(P, 'a-0')).toBe(INVALID_PRODUCER_ID_MAPPING)
    expect(await world.verify(P, 'a-0', '')).toBe(Errors.INVALID_REQUEST)
  })

  it.each(['PrepareCommit', 'PrepareAbort'] as const)('in %s waits a moment, whoever asks', async (state) => {
    const world = worldIn(state)
    const asked = [P, later(P, 1), OTHER].map((who) => new Call(world.add(who, ['b-0'])))
    await settle()
    expect(asked.map((a) => a.answered)).toEqual([false, false, false])
    world.clock.advance(101)
    await settle()
    expect(asked.map((a) => a.value)).toEqual([CONCURRENT_TRANSACTIONS, CONCURRENT_TRANSACTIONS, CONCURRENT_TRANSACTIONS])
    const late = [P, later(P, 1)].map((who) => new Call(world.add(who, ['b-0'])))
    world.markers.release(NONE)
    await settle()
    expect(late.map((a) => a.value)).toEqual([NONE, PRODUCER_FENCED])
    expect(world.written.at(-1)).toBe('Ongoing 7/5 b-0')
  })

  it('is refused, and nothing opens, when the log refuses', async () => {
    const world = new TransactionWorld([given()])
    world.log.refuse = Errors.NOT_ENOUGH_REPLICAS
    expect(await world.add(P, ['a-0'])).toBe(Errors.COORDINATOR_NOT_AVAILABLE)
    expect(await world.state()).toBe('Empty')
  })
})

describe('a broker that verifies', () => {
  it.each([
    ['Ongoing', P, NONE, Errors.TRANSACTION_ABORTABLE],
    ['Empty', P, Errors.TRANSACTION_ABORTABLE, Errors.TRANSACTION_ABORTABLE],
    ['CompleteCommit', P, Errors.TRANSACTION_ABORTABLE, Errors.TRANSACTION_ABORTABLE],
    ['PrepareCommit', P, CONCURRENT_TRANSACTIONS, CONCURRENT_TRANSACTIONS],
    ['PrepareAbort', later(P, 1), PRODUCER_FENCED, PRODUCER_FENCED],
    ['Ongoing', OTHER, INVALID_PRODUCER_ID_MAPPING, INVALID_PRODUCER_ID_MAPPING],
  ] as const)('in %s for %o hears %i of a partition in it, else %i', async (state, who, inside, outside) => {
    const world = worldIn(state)
    expect([await world.verify(who, 'a-0'), await world.verify(who, 'a-1')]).toEqual([inside, outside])
    expect(world.written).toEqual([])
  })
})

type Row = readonly [state: TransactionState, epochs: number, commit: string, abort: string]

/** What EndTxn is answered, and whether the transaction ends by it. */
async function outcome(state: TransactionState, epochs: number, committed: boolean, version: number): Promise<string> {
  const world = worldIn(state)
  const { error, producerId, producerEpoch } = await world.end(later(P, epochs), committed, version)
  const [first] = world.written
  const who = producerId >= 0 ? ` ${producerId}/${producerEpoch}` : ''
  const name = Object.entries(Errors).find(([, code]) => code === error)![0]
  return `${name}${who}${first === undefined ? '' : `: ${first}`}`
}

describe('EndTxn before KIP-890', () => {
  const rows: readonly Row[] = [
    ['Empty', 0, 'INVALID_TXN_STATE', 'INVALID_TXN_STATE'],
    ['Ongoing', 0, 'NONE 7/5: PrepareCommit 7/5 a-0', 'NONE 7/5: PrepareAbort 7/5 a-0'],
    ['PrepareCommit', 0, 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS'],
    ['PrepareAbort', 0, 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS'],
    ['CompleteCommit', 0, 'NONE 7/5', 'INVALID_TXN_STATE'],
    ['CompleteAbort', 0, 'INVALID_TXN_STATE', 'NONE 7/5'],
    ...(['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'] as const).flatMap(
      (state): Row[] => [
        [state, -1, 'PRODUCER_FENCED', 'PRODUCER_FENCED'],
        [state, 1, 'PRODUCER_FENCED', 'PRODUCER_FENCED'],
      ],
    ),
  ]
  it.each(rows)('in %s, %i epochs on', async (state, epochs, commit, abort) => {
    expect([await outcome(state, epochs, true, 4), await outcome(state, epochs, false, 4)]).toEqual([commit, abort])
  })
})

describe('EndTxn since KIP-890', () => {
  const busy = 'CONCURRENT_TRANSACTIONS'
  const fenced = 'PRODUCER_FENCED'
  const wrong = 'INVALID_TXN_STATE'
  const aborts = 'NONE 7/6: PrepareAbort 7/6 v2'
  const rows: readonly Row[] = [
    ['Empty', -1, fenced, fenced],
    ['Empty', 0, wrong, aborts],
    ['Empty', 1, fenced, fenced],
    ['Ongoing', -1, fenced, fenced],
    ['Ongoing', 0, 'NONE 7/6: PrepareCommit 7/6 a-0 v2', 'NONE 7/6: PrepareAbort 7/6 a-0 v2'],
    ['Ongoing', 1, fenced, fenced],
    ['CompleteCommit', -2, fenced, fenced],
    ['CompleteCommit', -1, 'NONE 7/5', wrong],
    ['CompleteCommit', 0, wrong, aborts],
    ['CompleteCommit', 1, fenced, fenced],
    ['CompleteAbort', -1, wrong, 'NONE 7/5'],
    ['CompleteAbort', 0, wrong, aborts],
    ['CompleteAbort', 1, fenced, fenced],
    ...(['PrepareCommit', 'PrepareAbort'] as const).flatMap((state) =>
      [-2, -1, 0, 1].map((epochs): Row => [state, epochs, busy, busy]),
    ),
  ]
  it.each(rows)('in %s, %i epochs on', async (state, epochs, commit, abort) => {
    expect([await outcome(state, epochs, true, 5), await outcome(state, epochs, false, 5)]).toEqual([commit, abort])
  })

  it('gives a new producer id with the last epoch, also to a retry', async () => {
    const world = new TransactionWorld([given({ producerEpoch: 32_766, at: ['a-0'] })])
    const last = { producerId: 7, producerEpoch: 32_766 }
    expect(await world.end(last, true, 5)).toEqual({ error: 0, producerId: 1000, producerEpoch: 0 })
    expect(world.written).toEqual(['PrepareCommit 7/32767 a-0 next 1000 v2', 'CompleteCommit 1000/0 before 7 v2'])
    expect(world.markers.fresh).toEqual(['a-0 commit 7/32767'])
    expect(await world.end(last, true, 5)).toEqual({ error: 0, producerId: 1000, producerEpoch: 0 })
    expect(await world.endError(last, false, 5)).toBe(INVALID_TXN_STATE)
    expect(await world.endError({ producerId: 6, producerEpoch: 32_766 }, true, 5)).toBe(INVALID_PRODUCER_ID_MAPPING)
    expect(await world.add({ producerId: 1000, producerEpoch: 0 }, ['a-0'], 2)).toBe(NONE)
  })

  it('does not end while there is no producer id to give', async () => {
    const world = new TransactionWorld([given({ producerEpoch: 32_766, at: ['a-0'] })])
    world.ids.none = true
    expect(await world.endError({ producerId: 7, producerEpoch: 32_766 }, true, 5)).toBe(Errors.COORDINATOR_LOAD_IN_PROGRESS)
    expect([world.written, await world.state()]).toEqual([[], 'Ongoing'])
  })

  it('of a transaction of which nothing arrived has no markers, and is complete at once', async () => {
    const world = new TransactionWorld([given()])
    expect(await world.end(P, false, 5)).toEqual({ error: 0, producerId: 7, producerEpoch: 6 })
    expect(world.written).toEqual(['PrepareAbort 7/6 v2', 'CompleteAbort 7/6 v2'])
    expect(world.markers.sent).toEqual([])
  })
})

describe('EndTxn', () => {
  it.each([4, 5])('of another producer, or of an id that is not known (version %i)', async (version) => {
    const world = new TransactionWorld([given({ at: ['a-0'] })])
    expect(await world.endError(OTHER, true, version)).toBe(INVALID_PRODUCER_ID_MAPPING)
    expect(await world.endError(P, true, version, 'unknown')).toBe(INVALID_PRODUCER_ID_MAPPING)
    expect(await world.endError(P, true, version, '')).toBe(Errors.INVALID_REQUEST)
    expect(world.written).toEqual([])
  })

  it('answers when the decision is committed, before there are markers', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'] })])
    world.markers.hold()
    world.log.autoCommit = false
    const call = new Call(world.end(P, true))
    await settle()
    expect([call.answered, world.markers.sent.length]).toEqual([false, 0])
    world.log.commit()
    await settle()
    expect([call.value?.error, world.markers.fresh]).toEqual([NONE, ['a-0 commit 7/5']])
  })

  it('that could not be written has decided nothing', async () => {
    const world = new TransactionWorld([given({ at: ['a-0'] })])
    world.log.refuse = Errors.NOT_ENOUGH_REPLICAS
    expect(await world.endError(P, true)).toBe(Errors.COORDINATOR_NOT_AVAILABLE)
    world.log.refuse = 0
    expect(await world.endError(P, false)).toBe(NONE)
    expect(world.written).toEqual(['PrepareAbort 7/5 a-0', 'CompleteAbort 7/5'])
  })
})
