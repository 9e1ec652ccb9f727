// Kafka's own kafka-dump-log reads what we write. Skipped where Kafka is not set up beside the checkout.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '@faultline/base'
import { buildBatch, buildEndTransactionMarker } from '@faultline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NodeDisk } from '../../node/src/disk/node-disk.ts'
import { DEFAULT_LOG_CONFIG, LogDirectory, type PartitionLog } from '../src/index.ts'
import { TOPIC_ID, TestClock, produced, values } from './support.ts'

const KAFKA = join(import.meta.dirname, '../../../../shared/peers/kafka/kafka')
const JARS = join(process.env['PEERS_CACHE'] ?? join(homedir(), '.cache/kafka-peer'), 'tools')
const isSetUp = existsSync(KAFKA) && existsSync(JARS)

describe.skipIf(!isSetUp)('kafka-dump-log', () => {
  let root: string
  const dumps = new Map<string, string>()
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'faultline-dump-'))
    const clock = new TestClock()
    const options = { disk: new NodeDisk(root), clock, random: new Prng(1), path: root, clusterId: 'c', nodeId: 1 }
    const directory = LogDirectory.open(options)
    const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: 20_000, indexIntervalBytes: 500 }
    write(directory.create('t', 0, TOPIC_ID, config), clock)
    directory.closeClean(5)
    const folder = join(root, 't-0')
    const files = readdirSync(folder).filter((name) => /\.(log|index|timeindex|txnindex|snapshot)$/.test(name))
    const output = execFileSync(KAFKA, ['dump', ...files.map((name) => join(folder, name))], { encoding: 'utf8' })
    for (const part of output.split(/^(?=Dumping )/m)) {
      const name = /^Dumping .*\/(\S+)$/m.exec(part)?.[1]
      if (name !== undefined) dumps.set(name, part)
    }
    expect([...dumps.keys()].sort()).toEqual(files.sort())
  })

  it('finds every batch valid', () => {
    const batches = [...dumps]
      .filter(([name]) => name.endsWith('.log'))
      .flatMap(([, dump]) => dump.match(/^baseOffset: .*$/gm) ?? [])
    expect(batches.length).toBeGreaterThan(300)
    for (const batch of batches) expect(batch).toContain('isvalid: true')
    for (const [, dump] of dumps) expect(dump).not.toMatch(/invalid|corrupt|exception/i)
  })

  it('reads records of every codec, and headers', () => {
    const text = [...dumps.values()].join('')
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      expect(text).toMatch(new RegExp(`compresscodec: ${codec}`))
      expect(text).toContain(`payload: packed with ${codec}`)
    }
    expect(text).toContain('headerKeys: [h1,h2] key: k')
  })

  it('finds the indexes in agreement with the log', () => {
    for (const [name, dump] of dumps) {
      if (!/\.(index|timeindex)$/.test(name)) continue
      expect(dump, name).toMatch(/offset: \d+/)
      expect(dump, name).not.toMatch(/mismatch|out of order|not found|Mismatches/i)
    }
  })

  it('reads transaction markers, the aborted ones and the producers', () => {
    const text = [...dumps.values()].join('')
    expect(text).toContain('endTxnMarker: COMMIT coordinatorEpoch: 3')
    expect(text).toContain('endTxnMarker: ABORT coordinatorEpoch: 3')
    const aborted = [...dumps].find(([name]) => name.endsWith('.txnindex'))![1]
    expect(aborted).toMatch(/version: 0 producerId: 900 firstOffset: \d+ lastOffset: \d+ lastStableOffset: \d+/)
    const snapshots = [...dumps].filter(([name]) => name.endsWith('.snapshot'))
    expect(snapshots.at(-1)![1]).toMatch(
      /producerId: 900 producerEpoch: 0 coordinatorEpoch: 3 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: \d+/,
    )
  })
})

function write(log: PartitionLog, clock: TestClock): void {
  const append = (batch: Uint8Array, origin: 'client' | 'coordinator' = 'client') =>
    expect(log.appendAsLeader(batch, log.logEndOffset >> 6, origin)).toMatchObject({ error: 0 })
  const text = (value: string) => new TextEncoder().encode(value)
  for (const [codec, name] of ['none', 'gzip', 'snappy', 'lz4', 'zstd'].entries()) {
    const headers = [
      { key: 'h1', value: text('v') },
      { key: 'h2', value: null },
    ]
    const record = { key: text('k'), value: text(`packed with ${name}`), timestamp: clock.now, headers }
    append(buildBatch([record, record, { ...record, key: null, value: null }], { codec }))
  }
  for (let i = 0; i < 200; i++) {
    clock.now += 1000
    append(values([`value ${i}`, 'x'.repeat(i)], { timestamp: clock.now }))
    append(produced(800, 1, i))
    append(produced(900, 0, i, 1, { transactional: true }))
    const result = i % 3 === 0 ? 'abort' : 'commit'
    append(
      buildEndTransactionMarker({ producerId: 900, producerEpoch: 0, coordinatorEpoch: 3, result }, clock.now),
      'coordinator',
    )
  }
  expect(log.segmentCount).toBeGreaterThan(2)
}
