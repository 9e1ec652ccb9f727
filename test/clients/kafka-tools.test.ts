// Apache Kafka's own command-line tools for groups, offsets, transactions and records, each against a live cluster.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Consumer, Producer, Transaction } from 'kafkajs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTopic, startTestCluster, type TestCluster, until } from '../support/cluster.ts'
import { required } from './each-client.ts'
import { type Java, prepareJava } from './java.ts'
import { Missing } from './need.ts'
import { Tools } from './tools.ts'

const RECORDS = 20
const MINUTE = 60_000
/** An hour ago: time indexes are asked about it. */
const START = Date.now() - 60 * MINUTE

const folder = mkdtempSync(join(tmpdir(), 'faultline-tools-'))
let java: Java | Error
let tools: Tools
let test: TestCluster
let member: Consumer
let producer: Producer

beforeAll(async () => {
  java = await prepareJava(folder).catch((error: Error) => error)
  if (java instanceof Error) {
    if (java instanceof Missing && !required.includes('java-console')) return
    throw java
  }
  test = await startTestCluster()
  tools = new Tools(java)
  await fill()
})
afterAll(async () => {
  await tools?.[Symbol.asyncDispose]()
  await member?.disconnect()
  await producer?.disconnect()
  await test?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Two topics with a record a minute, a group with one member, and two groups that only hold positions. */
async function fill(): Promise<void> {
  for (const topic of ['orders', 'audit']) await createTopic(test.kafka, topic, 2)
  producer = test.kafka.producer({ transactionalId: 'processor-1', idempotent: true, maxInFlightRequests: 1 })
  const loader = test.kafka.producer()
  await loader.connect()
  for (const topic of ['orders', 'audit'])
    for (const partition of [0, 1])
      for (let i = 0; i < RECORDS; i++)
        await loader.send({ topic, messages: [{ partition, value: `${i}`, timestamp: String(START + i * MINUTE) }] })
  await loader.disconnect()
  member = test.kafka.consumer({ groupId: 'live', sessionTimeout: 30_000 })
  await member.connect()
  await member.subscribe({ topic: 'orders', fromBeginning: true })
  let seen = 0
  await member.run({ eachMessage: async () => void seen++ })
  await until('everything read', async () => seen === 2 * RECORDS)
  for (const group of ['resting', 'other'])
    await commands(`--reset-offsets --group ${group} --topic orders --topic audit:0 --to-offset 5 --execute`)
}

interface Output {
  readonly text: string
  /** The words of each line that is not empty. */
  readonly rows: readonly (readonly string[])[]
}

async function tool(name: string, args: string): Promise<Output> {
  const lines = await tools.ask(`${name} --bootstrap-server ${test.bootstrap} ${args}`.trim())
  return { text: lines.join('\n'), rows: lines.map((line) => line.trim().split(/\s+/)) }
}

const commands = (args: string) => tool('consumer.group.ConsumerGroupCommand', args)
const offsets = (args: string) => tool('GetOffsetShell', args)
const transactions = (args: string) => tool('TransactionsCommand', args)

/** Rows that begin with one of these words, in order. */
function rowsOf({ rows }: Output, ...first: string[]): (readonly string[])[] {
  return rows.filter(([word]) => first.includes(word!)).sort((a, b) => (a.join() < b.join() ? -1 : 1))
}

/** "orders-0 5": what a reset says of each partition. */
function resets(output: Output, group = 'resting'): string[] {
  return rowsOf(output, group).map(([, topic, partition, offset]) => `${topic}-${partition} ${offset}`)
}

beforeEach((context) => {
  if (java instanceof Error) context.skip(java.message)
})

describe('kafka-consumer-groups', () => {
  it('lists groups with type and state', async () => {
    expect((await commands('--list')).rows.flat().sort()).toEqual(['live', 'other', 'resting'])
    expect(rowsOf(await commands('--list --type --state'), 'live', 'resting')).toEqual([
      ['live', 'Classic', 'Stable'],
      ['resting', 'Classic', 'Empty'],
    ])
    expect((await commands('--list --state Stable --type classic')).rows.slice(1)).toEqual([['live', 'Classic', 'Stable']])
  })

  it('describes positions, members and state', async () => {
    const live = rowsOf(await commands('--describe --group live --offsets'), 'live')
    expect(live.map((row) => row.slice(1, 6))).toEqual([
      ['orders', '0', `${RECORDS}`, `${RECORDS}`, '0'],
      ['orders', '1', `${RECORDS}`, `${RECORDS}`, '0'],
    ])
    const resting = rowsOf(await commands('--describe --group resting'), 'resting')
    expect(resting.map((row) => row.slice(1))).toEqual([
      ['audit', '0', '5', '20', '15', '-', '-', '-'],
      ['orders', '0', '5', '20', '15', '-', '-', '-'],
      ['orders', '1', '5', '20', '15', '-', '-', '-'],
    ])
    const [one] = rowsOf(await commands('--describe --group live --members --verbose'), 'live')
    expect(one!.slice(2)).toEqual(['/127.0.0.1', 'test', '2', '-', 'orders:0,1', '-', '-'])
    const states = rowsOf(await commands('--describe --all-groups --state'), 'live', 'other', 'resting')
    expect(states.map((row) => row.slice(-2))).toEqual([
      ['Stable', '1'],
      ['Empty', '0'],
      ['Empty', '0'],
    ])
    expect((await commands('--describe --group nobody')).text).toContain('Group nobody not found.')
  })

  it('resets positions in every way', async () => {
    const reset = (args: string) => commands(`--reset-offsets --group resting ${args}`)
    const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString().slice(0, -1)
    expect(resets(await reset('--topic orders --to-earliest --dry-run')).sort()).toEqual(['orders-0 0', 'orders-1 0'])
    expect(resets(await reset('--topic orders:1 --to-latest --execute'))).toEqual(['orders-1 20'])
    expect(resets(await reset('--all-topics --to-current --dry-run'))).toEqual(['audit-0 5', 'orders-0 5', 'orders-1 20'])
    expect(resets(await reset('--all-topics --shift-by -2 --execute'))).toEqual(['audit-0 3', 'orders-0 3', 'orders-1 18'])
    expect(resets(await reset(`--topic orders --to-datetime ${at(7)} --execute`))).toEqual(['orders-0 7', 'orders-1 7'])
    // Somewhere between the records of the minutes 15 and 16, whatever the time is when the tool runs.
    const minutes = Math.floor((Date.now() - START) / MINUTE - 15.5)
    const [moved] = resets(await reset(`--topic orders:0 --by-duration PT${minutes}M --execute`))
    expect(['orders-0 16', 'orders-0 17']).toContain(moved)
    const exported = (await reset('--all-topics --to-offset 9 --export --dry-run')).text
    expect(exported.split('\n').filter((line) => /^[a-z]+,/.test(line))).toHaveLength(3)
    writeFileSync(join(folder, 'positions.csv'), 'orders,0,11\naudit,0,12\n')
    const file = join(folder, 'positions.csv')
    expect(resets(await reset(`--from-file ${file} --execute`))).toEqual(['audit-0 12', 'orders-0 11'])
    expect((await commands('--reset-offsets --group live --topic orders --to-earliest --execute')).text).toContain(
      'current state is Stable',
    )
    expect(rowsOf(await commands('--describe --group resting'), 'resting').map((row) => row[3])).toEqual(['12', '11', '7'])
  })

  it('deletes positions and groups', async () => {
    expect((await commands('--delete-offsets --group resting --topic audit:0')).text).toContain('Successful')
    expect((await commands('--delete-offsets --group live --topic orders')).text).toContain('GroupSubscribedToTopicException')
    expect(rowsOf(await commands('--describe --group resting'), 'resting')).toHaveLength(2)
    expect((await commands('--delete --group live')).text).toContain('GroupNotEmptyException')
    expect((await commands('--delete --group nobody')).text).toContain('GroupIdNotFoundException')
    expect((await commands('--delete --group other')).text).toContain(
      "Deletion of requested consumer groups ('other') was successful",
    )
    expect((await commands('--list')).rows.flat().sort()).toEqual(['live', 'resting'])
  })
})

describe('kafka-groups', () => {
  it('lists groups of every type', async () => {
    expect(rowsOf(await tool('GroupsCommand', '--list'), 'live', 'resting')).toEqual([
      ['live', 'Classic', 'consumer'],
      ['resting', 'Classic'],
    ])
    expect(rowsOf(await tool('GroupsCommand', '--list --share'), 'live', 'resting')).toEqual([])
  })
})

describe('kafka-get-offsets', () => {
  it('finds offsets at every time', async () => {
    const found = async (args: string) => (await offsets(args)).rows.flat()
    const both = (offset: number) => [`orders:0:${offset}`, `orders:1:${offset}`]
    expect(await found('--topic orders --time latest')).toEqual(both(RECORDS))
    expect(await found('--topic orders --time earliest')).toEqual(both(0))
    expect(await found('--topic orders --time max-timestamp')).toEqual(both(RECORDS - 1))
    expect(await found('--topic orders --time earliest-local')).toEqual(both(0))
    expect(await found('--topic orders --time latest-tiered')).toEqual([])
    expect(await found(`--topic orders --time ${START + 3 * MINUTE - 1}`)).toEqual(both(3))
    expect(await found(`--topic orders --time ${START + RECORDS * MINUTE}`)).toEqual([])
  })

  it('matches topics and partitions', async () => {
    const found = async (args: string) => (await offsets(args)).rows.flat()
    const all = ['audit:0:20', 'audit:1:20', 'orders:0:20', 'orders:1:20']
    expect(await found('--exclude-internal-topics')).toEqual(all)
    expect(await found('--topic .*d.* --exclude-internal-topics')).toEqual(all)
    expect(await found('--topic orders --partitions 1')).toEqual(['orders:1:20'])
    expect(await found('--topic-partitions orders:1-,audit:0')).toEqual(['audit:0:20', 'orders:1:20'])
    expect((await offsets('--topic missing')).text).toContain('Could not match any topic-partitions')
    expect((await found('')).length).toBeGreaterThan(all.length)
  })
})

describe('kafka-transactions', () => {
  let open: Transaction
  beforeAll(async () => {
    if (java instanceof Error) return
    await producer.connect()
    open = await producer.transaction()
    await open.send({ topic: 'audit', messages: [{ partition: 1, value: 'open' }] })
  })

  it('lists and describes', async () => {
    const [listed] = rowsOf(await transactions('list'), 'processor-1')
    expect(listed).toEqual(['processor-1', expect.stringMatching(/^[123]$/), expect.any(String), 'Ongoing'])
    const [described] = rowsOf(await transactions('describe --transactional-id processor-1'), listed![1]!)
    expect(described!.slice(1, 3)).toEqual(['processor-1', listed![2]])
    expect(described).toContain('Ongoing')
    expect(described!.at(-1)).toBe('audit-1')
    expect((await transactions('list --duration-filter 3600000')).rows).toHaveLength(1)
    expect((await transactions('describe --transactional-id nobody')).text).toContain('the ID could not be found')
  })

  it('describes producers, finds nothing that hangs, and aborts', async () => {
    const producers = async () => (await transactions('describe-producers --topic audit --partition 1')).rows.slice(1)
    expect((await producers()).map((row) => row.at(-1))).toEqual([`${RECORDS}`])
    expect((await transactions('find-hanging --topic audit')).rows).toHaveLength(1)
    const { text } = await transactions(`abort --topic audit --partition 1 --start-offset ${RECORDS}`)
    expect(text).not.toContain('Exception')
    expect((await producers()).map((row) => row.at(-1))).toEqual(['None'])
    await open.abort()
    // Decided is answered; the markers are written a moment later.
    const state = async () => rowsOf(await transactions('list'), 'processor-1')[0]!.at(-1)
    await until('its end', async () => (await state()) === 'CompleteAbort')
  })
})

describe('kafka-delete-records', () => {
  it('deletes up to an offset, and says what is left', async () => {
    await createTopic(test.kafka, 'compacted', 1, { 'cleanup.policy': 'compact' })
    const file = join(folder, 'deletions.json')
    const remove = async (partitions: readonly object[]) => {
      writeFileSync(file, JSON.stringify({ partitions, version: 1 }))
      return (await tool('DeleteRecordsCommand', `--offset-json-file ${file}`)).text
    }
    const orders = (partition: number, offset: number) => ({ topic: 'orders', partition, offset })
    const deleted = await remove([orders(0, 7), orders(1, -1)])
    expect(deleted).toContain('partition: orders-0\tlow_watermark: 7')
    expect(deleted).toContain(`partition: orders-1\tlow_watermark: ${RECORDS}`)
    expect((await offsets('--topic orders --time earliest')).rows.flat()).toEqual(['orders:0:7', `orders:1:${RECORDS}`])
    expect(await remove([orders(0, RECORDS + 1)])).not.toContain('low_watermark')
    expect(await remove([{ topic: 'compacted', partition: 0, offset: 0 }])).not.toContain('low_watermark')
    expect((await offsets('--topic orders --time earliest')).rows.flat()[0]).toBe('orders:0:7')
  })
})
