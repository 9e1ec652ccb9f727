// Kafka's own kafka-dump-log reads what coordinators write about transactions. Skipped where Kafka is not set up beside the checkout.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '@faultline/base'
import { buildBatch, buildEndTransactionMarker } from '@faultline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { offsetRecord } from '../../coordinator/src/group/group-records.ts'
import { transactionTombstone } from '../../coordinator/src/transaction/transaction-records.ts'
import { given } from '../../coordinator/test/transaction-support.ts'
import { DEFAULT_LOG_CONFIG, LogDirectory, type PartitionLog } from '../../log/src/index.ts'
import { TestClock, TOPIC_ID } from '../../log/test/support.ts'
import { NodeDisk } from '../../node/src/disk/node-disk.ts'

const KAFKA = join(import.meta.dirname, '../../../../shared/peers/kafka/kafka')
const JARS = join(process.env['PEERS_CACHE'] ?? join(homedir(), '.cache/kafka-peer'), 'tools')
const isSetUp = existsSync(KAFKA) && existsSync(JARS)

describe.skipIf(!isSetUp)('kafka-dump-log', () => {
  let root: string
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  const dump = (decoder: string, topic: string) => {
    const file = join(root, `${topic}-0`, '00000000000000000000.log')
    return execFileSync(KAFKA, ['tool', 'kafka-dump-log', decoder, '--files', file], { encoding: 'utf8' })
  }

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'faultline-dump-'))
    const clock = new TestClock()
    const options = { disk: new NodeDisk(root), clock, random: new Prng(1), path: root, clusterId: 'c', nodeId: 1 }
    const directory = LogDirectory.open(options)
    const config = { ...DEFAULT_LOG_CONFIG, verifyTransactions: false }
    writeTransactions(directory.create('__transaction_state', 0, TOPIC_ID, config), clock)
    writeOffsets(directory.create('__consumer_offsets', 0, TOPIC_ID, config), clock)
    directory.closeClean(5)
  })

  it('reads transactional ids in every state, and their tombstones', () => {
    const text = dump('--transaction-log-decoder', '__transaction_state')
    expect(text).toMatch(/"transactionalId":"t0"/)
    for (const status of [0, 1, 2, 3, 4, 5]) expect(text).toContain(`"transactionStatus":${status}`)
    expect(text).toContain('"nextProducerId":99')
    expect(text).toContain('"clientTransactionVersion":2')
    expect(text).toMatch(/"topic":"a","partitionIds":\[0,1\]/)
    expect(text).toMatch(/payload: (<DELETE>|null)|payload:\s*$/m)
    expect(text).not.toMatch(/exception|invalid|unknown/i)
  })

  it('reads positions in transactions, and what ended them', () => {
    const text = dump('--offsets-decoder', '__consumer_offsets')
    expect(text).toMatch(/isTransactional: true/)
    expect(text).toMatch(/"group":"g","topic":"orders","partition":0/)
    expect(text).toMatch(/"offset":42/)
    expect(text).toContain('endTxnMarker: COMMIT coordinatorEpoch: 3')
    expect(text).not.toMatch(/exception|isvalid: false/i)
  })
})

function append(log: PartitionLog, batch: Uint8Array): void {
  expect(log.appendAsLeader(batch, 0, 'coordinator')).toMatchObject({ error: 0 })
}

function writeTransactions(log: PartitionLog, clock: TestClock): void {
  const states = ['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort'] as const
  const more = { nextProducerId: 99, clientTransactionVersion: 2, timeoutMs: 1000 }
  for (const [i, state] of states.entries()) {
    const record = given({
      transactionalId: `t${i}`,
      state,
      at: i > 0 && i < 4 ? ['a-0', 'a-1', 'b-2'] : [],
      ...(i === 3 ? more : {}),
    })
    append(log, buildBatch([{ ...record, timestamp: clock.now }]))
  }
  append(log, buildBatch([{ ...transactionTombstone('t0'), timestamp: clock.now }]))
}

function writeOffsets(log: PartitionLog, clock: TestClock): void {
  const value = { offset: 42, leaderEpoch: 3, metadata: 'm', commitTimestamp: clock.now, expireTimestamp: -1, topicId: TOPIC_ID }
  const producer = { producerId: 7, producerEpoch: 1 }
  append(
    log,
    buildBatch([{ ...offsetRecord('g', 'orders', 0, value), timestamp: clock.now }], { ...producer, transactional: true }),
  )
  append(log, buildEndTransactionMarker({ ...producer, coordinatorEpoch: 3, result: 'commit' }, clock.now))
}
