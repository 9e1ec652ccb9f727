// A broker that starts on a damaged folder: repaired as Kafka would, or refused with what to do.
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectTo, createSingle, readAll, send } from '../support/client.ts'
import { startTestCluster, type TestCluster, until } from '../support/cluster.ts'

const RECORDS = 40

let test: TestCluster
let data: string
let topic = ''
let made = 0

beforeAll(async () => {
  const settings = { 'broker.session.timeout.ms': '400', 'broker.heartbeat.interval.ms': '100' }
  test = await startTestCluster({ brokers: 1, controllers: 1, settings })
  data = test.cluster.folder.data('broker:1')
})
afterAll(() => test[Symbol.asyncDispose]())

const state = async () => (await test.cluster.nodes()).find((n) => n.name === 'broker:1')!.state

async function onConnection<T>(work: (client: ReturnType<typeof connectTo>) => Promise<T>): Promise<T> {
  const client = connectTo(test.bootstrap)
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

/** The offset. On a busy machine a session of 400 ms may end now and then: the broker is fenced for a moment, and refuses. */
function sendUntilTaken(client: ReturnType<typeof connectTo>, value: string): Promise<number> {
  return until('an acknowledgement', async () => {
    const { errorCode, baseOffset } = await send(client, topic, value)
    return errorCode === 0 ? baseOffset : undefined
  })
}

/** A topic of the test's own, forty records of known values in it. */
beforeEach(async () => {
  topic = `damaged-${++made}`
  await onConnection(async (client) => {
    // Indexes reach the disk when a log is flushed.
    await createSingle(client, topic, { 'flush.messages': '1', 'index.interval.bytes': '100' })
    for (let i = 0; i < RECORDS; i++) await sendUntilTaken(client, `${i} ${'.'.repeat(50)}`)
  })
})

const log = () => join(data, `${topic}-0`)
const file = (ending: string) =>
  join(
    log(),
    readdirSync(log()).find((name) => name.endsWith(ending))!,
  )

async function restartAfter(damage: () => void): Promise<void> {
  await test.cluster.act('kill', 'broker:1')
  damage()
  await test.cluster.act('restart', 'broker:1')
}

/** What is left, once the partition is led again; and that it goes on. */
async function left(): Promise<number> {
  await until('the broker', async () => (await state()) === 'running')
  const values = await until('the leader', () => onConnection((client) => readAll(client, topic)).catch(() => undefined))
  expect(values).toEqual(Array.from({ length: values.length }, (_, i) => `${i} ${'.'.repeat(50)}`))
  expect(await onConnection((client) => sendUntilTaken(client, 'next'))).toBe(values.length)
  return values.length
}

describe('a broker on a damaged folder', () => {
  it('finds everything after a kill', async () => {
    await restartAfter(() => {})
    expect(await left()).toBe(RECORDS)
  })

  it.each(['missing', 'damaged'])('does without checkpoints that are %s', async (how) => {
    const names = ['recovery-point-offset-checkpoint', 'replication-offset-checkpoint', 'log-start-offset-checkpoint']
    await restartAfter(() => {
      for (const path of [...names.map((name) => join(data, name)), join(log(), 'leader-epoch-checkpoint')]) {
        if (how === 'missing') rmSync(path, { force: true })
        else if (existsSync(path)) writeFileSync(path, '7\nnonsense\n-1 x\n')
      }
    })
    expect(await left()).toBe(RECORDS)
  })

  it.each(['.index', '.timeindex'])('makes a %s anew that is missing or damaged', async (ending) => {
    await restartAfter(() => writeFileSync(file(ending), Buffer.alloc(1003, 0xa5)))
    expect(await left()).toBe(RECORDS)
    await restartAfter(() => rmSync(file(ending)))
    await until('the leader', () => onConnection((client) => readAll(client, topic)).catch(() => undefined))
  })

  it('cuts off the torn end of a segment', async () => {
    await restartAfter(() => truncateSync(file('.log'), readFileSync(file('.log')).length - 20))
    expect(await left()).toBe(RECORDS - 1)
  })

  it('cuts off garbage behind the end, and zeros', async () => {
    await restartAfter(() => appendFileSync(file('.log'), Buffer.alloc(5000, 0x5a)))
    expect(await left()).toBe(RECORDS)
    await restartAfter(() => appendFileSync(file('.log'), Buffer.alloc(5000)))
    expect((await until('the leader', () => onConnection((c) => readAll(c, topic)).catch(() => undefined))).length).toBe(
      RECORDS + 1,
    )
  })

  it('keeps what comes before a bit that flipped', async () => {
    const bytes = readFileSync(file('.log'))
    const size = bytes.length / RECORDS
    await restartAfter(() => {
      bytes[Math.floor(size * 20.5)]! ^= 4
      writeFileSync(file('.log'), bytes)
    })
    const kept = await left()
    expect(kept).toBeGreaterThanOrEqual(19)
    expect(kept).toBeLessThanOrEqual(21)
  })

  it.each<[string, (text: string) => string, RegExp]>([
    ['of a newer version', (text) => text.replace('version=1', 'version=2'), /version 2/],
    ['of another cluster', (text) => text.replace(/cluster\.id=.*/, 'cluster.id=somebody-else'), /somebody-else/],
    ['of another node', (text) => text.replace(/node\.id=.*/, 'node.id=7'), /node 7/],
    ['that nobody wrote', () => '', /version/],
  ])('refuses a folder %s, says what to do, and starts when it is put right', async (_what, change, why) => {
    const path = join(data, 'meta.properties')
    const text = readFileSync(path, 'utf8')
    await restartAfter(() => writeFileSync(path, change(text)))
    await until('a refusal', async () => (await state()) === 'stopped (exit code 78)')
    const told = readFileSync(test.cluster.folder.log('broker:1'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const failed = told.findLast((e: { event: string }) => e.event === 'node.failed')
    expect(failed).toMatchObject({ refusal: 'FOLDER_FOREIGN' })
    expect(failed.message).toContain(data)
    expect(failed.message).toMatch(why)
    expect(failed.advice).toMatch(/folder/)
    writeFileSync(path, text)
    await test.cluster.act('restart', 'broker:1')
    expect(await left()).toBe(RECORDS)
  })

  it('refuses a folder that has lost its meta.properties', async () => {
    const path = join(data, 'meta.properties')
    const text = readFileSync(path, 'utf8')
    await restartAfter(() => rmSync(path))
    await until('a refusal', async () => (await state()) === 'stopped (exit code 78)')
    writeFileSync(path, text)
    await test.cluster.act('restart', 'broker:1')
    expect(await left()).toBe(RECORDS)
  })

  it('takes back a partition whose partition.metadata is damaged or missing', async () => {
    await restartAfter(() => writeFileSync(file('partition.metadata'), 'nonsense'))
    expect(await left()).toBe(RECORDS)
    await restartAfter(() => rmSync(file('partition.metadata')))
    expect((await until('the leader', () => onConnection((c) => readAll(c, topic)).catch(() => undefined))).length).toBe(
      RECORDS + 1,
    )
  })
})
