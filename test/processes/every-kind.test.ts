// Every kind of fault once, in one cluster, beside a client that produces through all of them: what a client outside sees of each, that the hit
// is told, that healing restores service, and at the end that nothing acknowledged is lost. What is a story of its own is in the files beside
// (test/fault-kinds.test.ts knows where each kind is).
import { connect } from 'node:net'
import { type FaultRequestInput, type FaultView, startCluster, type StartedCluster } from '@faultline/director'
import type { Connection } from '@faultline/client'
import { apiVersions, buildBatch, checkBatch, Errors, fetch, metadata, produce } from '@faultline/protocol'
import type { Kafka } from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectTo } from '../support/client.ts'
import { createTopic, DIST, kafkaFor, until, withAdmin } from '../support/cluster.ts'
import { type Traffic, trafficTo } from '../support/traffic.ts'

let cluster: StartedCluster
/** An unmodified client of its own, so that a fault can choose it; it gives up at once. */
let probe: Kafka
let traffic: Traffic

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, controllers: 1, proxied: true }, DIST)
  const kafka = kafkaFor(cluster.bootstrap, { clientId: 'traffic' })
  await createTopic(kafka, 'orders', 3)
  await createTopic(kafka, 'probed', 1, { 'message.timestamp.type': 'LogAppendTime' })
  probe = kafkaFor(cluster.bootstrap, { clientId: 'probe' })
  traffic = await trafficTo(kafka, 'orders')
})
afterAll(() => cluster[Symbol.asyncDispose]())

let isOver = false

/** Each leaves a cluster that is well. */
afterEach(async () => {
  if (isOver) return
  await cluster.healAll()
  for (const { name, state } of await cluster.cluster.nodes()) if (state.startsWith('stopped')) await cluster.restart(name)
  const running = async () => (await cluster.cluster.nodes()).every((n) => n.state === 'running' || n.state === 'active')
  await until('all nodes', running)
  for (const partition of ['orders-0', 'orders-1', 'orders-2', 'probed-0']) await cluster.waitForIsr(partition, 3)
  await traffic.more(5)
})

const add = (family: FaultRequestInput['family'], kind: string, more: Partial<FaultRequestInput> = {}) =>
  cluster.fault({ family, kind, ...more })

async function hitsOf({ id }: FaultView): Promise<number> {
  return (await cluster.faults()).find((f) => f.id === id)!.hits
}

const hit = (fault: FaultView) => until(`a hit of ${fault.kind}`, async () => (await hitsOf(fault)) > 0)

async function stateOf(name: string): Promise<string> {
  return (await cluster.cluster.nodes()).find((n) => n.name === name)!.state
}

async function leaderAndFollower(partition = 'probed-0') {
  const leader = await cluster.waitForLeader(partition)
  return { leader: `broker:${leader}`, follower: `broker:${[1, 2, 3].find((id) => id !== leader)}` }
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function onConnection<T>(broker: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = connectTo(cluster.bootstrap.split(',')[Number(broker.split(':')[1]) - 1]!)
  try {
    return await work(connection)
  } finally {
    connection.close()
  }
}

function produceTo(connection: Connection, topic: string, value: Uint8Array, acks = -1) {
  const records = buildBatch([{ key: null, value, timestamp: Date.now() }])
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  return connection.request(produce, 12, { acks, timeoutMs: 10_000, topicData })
}

const describeTopics = (connection: Connection) =>
  connection.request(metadata, 12, { topics: [{ name: 'probed' }], allowAutoTopicCreation: false })

/** Sends to `probed`; without retries it gives up at the first failure. */
async function sendOnce(retries = 100): Promise<{ baseOffset: number; logAppendTime: number }> {
  const producer = probe.producer({ retry: { retries } })
  await producer.connect()
  try {
    const [sent] = await producer.send({ topic: 'probed', acks: -1, messages: [{ value: 'x' }] })
    return { baseOffset: Number(sent!.baseOffset), logAppendTime: Number(sent!.logAppendTime) }
  } finally {
    await producer.disconnect()
  }
}

describe('process', () => {
  it('process kill: another broker leads', async () => {
    const { leader } = await leaderAndFollower()
    await hit(await add('process', 'kill', { node: 'leader:probed-0' }))
    expect(await stateOf(leader)).toMatch(/SIGKILL/)
    expect(`broker:${await cluster.waitForLeader('probed-0', Number(leader.split(':')[1]))}`).not.toBe(leader)
    await sendOnce()
  })

  it('process terminate: leaderships move first, and it ends in order', async () => {
    const { leader } = await leaderAndFollower()
    await hit(await add('process', 'terminate', { node: leader }))
    expect(await stateOf(leader)).toBe('stopped (exit code 0)')
    await sendOnce()
  })

  it('process pause: its connections are silent until it goes on', async () => {
    const { leader } = await leaderAndFollower()
    await onConnection(leader, async (connection) => {
      await describeTopics(connection)
      await hit(await add('process', 'pause', { node: leader }))
      let answered = false
      const answer = describeTopics(connection).then(() => (answered = true))
      await cluster.waitForLeader('probed-0', Number(leader.split(':')[1]))
      expect(answered).toBe(false)
      await cluster.healAll()
      await answer
    })
  })

  it('process restart: it is back with another process', async () => {
    const { leader } = await leaderAndFollower()
    const pidOf = async () => (await cluster.cluster.nodes()).find((n) => n.name === leader)!.pid
    const before = await pidOf()
    await hit(await add('process', 'restart', { node: leader }))
    expect(await pidOf()).not.toBe(before)
  })

  it('process crash-at-point: it is dead when its code comes there', async () => {
    const { leader } = await leaderAndFollower()
    const fault = await add('process', 'crash-at-point', { node: leader, where: { point: 'produce.appended' }, count: 1 })
    await hit(fault)
    await until('its end', async () => /SIGKILL/.test(await stateOf(leader)))
  })

  it('process pause-at-point: it stands still when its code comes there', async () => {
    const { leader } = await leaderAndFollower()
    const fault = await add('process', 'pause-at-point', { node: leader, where: { point: 'produce.appended' }, count: 1 })
    await hit(fault)
    expect(`broker:${await cluster.waitForLeader('probed-0', Number(leader.split(':')[1]))}`).not.toBe(leader)
  })
})

describe('link', () => {
  const clients = (kind: string, parameters: Record<string, number>, more: Partial<FaultRequestInput> = {}) =>
    add('link', kind, { from: 'clients', to: 'broker:1', with: parameters, ...more })

  it('link latency: answers are late', async () => {
    await hit(await clients('latency', { latency: 300 }))
    expect(await msOf(() => onConnection('broker:1', describeTopics))).toBeGreaterThan(290)
  })

  it('link bandwidth: much takes long', async () => {
    const { leader } = await leaderAndFollower()
    await hit(await add('link', 'bandwidth', { from: 'clients', to: leader, with: { rate: 100 } }))
    expect(await msOf(() => onConnection(leader, (c) => produceTo(c, 'probed', new Uint8Array(60_000))))).toBeGreaterThan(400)
  })

  it('link slicer: a request that arrives in small pieces is answered', async () => {
    await hit(await clients('slicer', { average_size: 10, delay: 20_000 }))
    let topics: unknown
    expect(await msOf(async () => (topics = (await onConnection('broker:1', describeTopics)).topics))).toBeGreaterThan(50)
    expect(topics).toMatchObject([{ name: 'probed', errorCode: Errors.NONE }])
  })

  it('link slow-close: a connection that the broker closes ends late', async () => {
    await hit(await add('link', 'slow-close', { from: 'broker:1', to: 'clients', with: { delay: 400 } }))
    const [host, port] = cluster.bootstrap.split(',')[0]!.split(':')
    const closed = () =>
      new Promise<void>((resolve) => {
        const socket = connect(Number(port), host, () => socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff])))
        socket.on('error', () => {}).on('close', () => resolve())
        socket.resume()
      })
    expect(await msOf(closed)).toBeGreaterThan(390)
  })

  it.each([
    ['timeout', { timeout: 100 }],
    ['reset-peer', { timeout: 0 }],
    ['limit-data', { bytes: 100 }],
  ])('link %s: the connection ends without an answer', async (kind, parameters) => {
    await hit(await clients(kind, parameters as Record<string, number>))
    const ask = () =>
      onConnection('broker:1', async (c) => [await describeTopics(c), await describeTopics(c), await describeTopics(c)])
    await expect(ask()).rejects.toThrow()
    await cluster.healAll()
    expect(await ask()).toHaveLength(3)
  })

  it('link cut: nothing arrives, nothing is closed; healed, clients come anew', async () => {
    await onConnection('broker:1', async (connection) => {
      await describeTopics(connection)
      await hit(await add('link', 'cut', { from: 'clients', to: 'broker:1' }))
      const answer = describeTopics(connection).then(
        () => 'answered',
        () => 'closed',
      )
      await traffic.more(0)
      await cluster.healAll()
      expect(await answer).toBe('closed')
    })
  })

  it('link refuse: connections are refused', async () => {
    await hit(await add('link', 'refuse', { from: 'clients', to: 'broker:1' }))
    await expect(onConnection('broker:1', describeTopics)).rejects.toThrow()
  })

  it('link flap: a follower is cut off and comes back, again and again', async () => {
    const { leader, follower } = await leaderAndFollower()
    await hit(await add('link', 'flap', { from: follower, to: leader, plane: 'replication', with: { down: 100, up: 100 } }))
    await traffic.more(30)
  })

  it('link partition: a broker that nobody hears leaves the ISR', async () => {
    await hit(await add('link', 'partition', { with: { shape: 'isolate', among: 'brokers' } }))
    await until('a smaller ISR', async () => {
      const sizes = await Promise.all([0, 1, 2].map((p) => cluster.waitForIsr(`orders-${p}`, 2, 1).catch(() => undefined)))
      return sizes.some((s) => s !== undefined)
    })
  })
})

describe('protocol', () => {
  const PROBE = { clientId: 'probe' }

  it('protocol error: the client is told so, and nothing is done', async () => {
    const before = (await sendOnce()).baseOffset
    const fault = await add('protocol', 'error', {
      where: { ...PROBE, apis: ['Produce'] },
      with: { error: 'INVALID_RECORD' },
      count: 1,
    })
    await expect(sendOnce(0)).rejects.toMatchObject({ type: 'INVALID_RECORD' })
    await hit(fault)
    expect((await sendOnce()).baseOffset).toBe(before + 1)
  })

  it('protocol delay: an answer is late, also when it is the last that is to be', async () => {
    const fault = await add('protocol', 'delay', { where: { ...PROBE, apis: ['Produce'] }, with: { ms: 400 }, count: 1 })
    expect(await msOf(sendOnce)).toBeGreaterThan(390)
    await hit(fault)
  })

  it('protocol lose-reply: it is done, and the client cannot know', async () => {
    const before = (await sendOnce()).baseOffset
    await hitBy(await add('protocol', 'lose-reply', { where: { ...PROBE, apis: ['Produce'] }, count: 1 }), () =>
      expect(sendOnce(0)).rejects.toThrow(),
    )
    expect((await sendOnce()).baseOffset).toBe(before + 2)
  })

  it('protocol disconnect: it is not done, and the connection is closed', async () => {
    const before = (await sendOnce()).baseOffset
    await hitBy(await add('protocol', 'disconnect', { where: { ...PROBE, apis: ['Produce'] }, count: 1 }), () =>
      expect(sendOnce(0)).rejects.toThrow(),
    )
    expect((await sendOnce()).baseOffset).toBe(before + 1)
  })

  it('protocol blackhole: silence, until it is healed', async () => {
    const fault = await add('protocol', 'blackhole', { where: { ...PROBE, apis: ['Produce'] }, count: 1 })
    let over = false
    const sent = sendOnce(0)
      .catch(() => undefined)
      .finally(() => (over = true))
    await until('its count', async () => (await cluster.faults()).find((f) => f.id === fault.id)!.state === 'spent')
    await traffic.more(10)
    expect(over).toBe(false)
    await cluster.healAll()
    await sent
    await sendOnce()
  })

  it('protocol duplicate: a record is there twice', async () => {
    const before = (await sendOnce()).baseOffset
    await hitBy(await add('protocol', 'duplicate', { where: { ...PROBE, apis: ['Produce'] }, count: 1 }), sendOnce)
    expect((await sendOnce()).baseOffset).toBe(before + 3)
  })

  it('protocol metadata: the client is sent to a broker that does not lead', async () => {
    const fault = await add('protocol', 'metadata', {
      where: { topic: 'probed', clientId: 'probe' },
      with: { mode: 'wrong-leader' },
    })
    await expect(sendOnce(0)).rejects.toThrow('not the leader')
    await hit(fault)
    await cluster.healAll()
    await sendOnce()
  })

  it('protocol cap-versions: a broker that seems older', async () => {
    const cap = { api: 'Produce', max: 7 }
    const maximum = () =>
      onConnection('broker:1', async (c) => {
        const { apiKeys } = await c.request(apiVersions, 4, { clientSoftwareName: 'probe', clientSoftwareVersion: '1' })
        return apiKeys.find((k) => k.apiKey === produce.key)!.maxVersion
      })
    const before = await maximum()
    await hitBy(await add('protocol', 'cap-versions', { with: cap }), async () => expect(await maximum()).toBe(7))
    await sendOnce()
    await cluster.healAll()
    expect(await maximum()).toBe(before)
  })
})

async function hitBy(fault: FaultView, work: () => Promise<unknown>): Promise<void> {
  await work()
  await hit(fault)
}

describe('storage', () => {
  it.each([
    ['full', {}],
    ['io-error', { operation: 'write' }],
  ])('storage %s: the broker ends, and the others go on', async (kind, parameters) => {
    const { follower } = await leaderAndFollower('orders-0')
    const fault = await add('storage', kind, {
      node: follower,
      where: { file: 'log' },
      with: parameters as Record<string, string>,
    })
    await hit(fault)
    await until('its end', async () => (await stateOf(follower)).startsWith('stopped'))
    await traffic.more(10)
  })

  it('storage slow: the client waits', async () => {
    const { leader } = await leaderAndFollower()
    const where = { file: 'log', topic: 'probed' }
    const fault = await add('storage', 'slow', { node: leader, where, with: { operation: 'write', ms: 300 } })
    expect(await msOf(sendOnce)).toBeGreaterThan(290)
    await hit(fault)
  })

  it('storage torn-write: the broker dies in it, and cuts it off when it comes back', async () => {
    const { leader } = await leaderAndFollower('orders-0')
    const fault = await add('storage', 'torn-write', { node: leader, where: { file: 'log', topic: 'orders' }, count: 1 })
    await hit(fault)
    await until('its end', async () => /SIGKILL/.test(await stateOf(leader)))
  })

  it('storage bit-flip: nothing, until it is read from the disk', async () => {
    await withAdmin(probe, (admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'flipped', numPartitions: 1, replicationFactor: 1 }] }),
    )
    const leader = `broker:${await cluster.waitForLeader('flipped-0')}`
    const fault = await add('storage', 'bit-flip', { node: leader, where: { file: 'log', topic: 'flipped' }, count: 1 })
    await onConnection(leader, (c) => produceTo(c, 'flipped', new Uint8Array(10_000)))
    await hit(fault)
    const read = () =>
      onConnection(leader, async (c) => {
        const topics = [{ topic: 'flipped', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }]
        const { errorCode, records } = (await c.request(fetch, 12, { maxWaitMs: 0, topics })).responses[0]!.partitions[0]!
        return errorCode === Errors.NONE && records ? checkBatch(records) !== undefined : errorCode === Errors.CORRUPT_MESSAGE
      })
    expect(await read()).toBe(false)
    await cluster.restart(leader)
    await until('the broker', async () => (await stateOf(leader)) === 'running')
    await until('what was flipped', async () => (await read()) === true)
    await withAdmin(probe, (admin) => admin.deleteTopics({ topics: ['flipped'] }))
  })
})

describe('clock', () => {
  const skew = async () => (await sendOnce()).logAppendTime - Date.now()

  it('clock step: records are from another time', async () => {
    await hit(await add('clock', 'step', { node: 'leader:probed-0', with: { ms: -86_400_000 } }))
    expect(await skew()).toBeLessThan(-80_000_000)
    await cluster.healAll()
    expect(Math.abs(await skew())).toBeLessThan(60_000)
  })

  it('clock drift: time runs away', async () => {
    await hit(await add('clock', 'drift', { node: 'leader:probed-0', with: { rate: 3 } }))
    const before = await skew()
    await until('a second more than there was', async () => (await skew()) > before + 1000)
  })

  it('clock freeze: a broker that no timer wakes is fenced', async () => {
    const { follower } = await leaderAndFollower()
    await hit(await add('clock', 'freeze', { node: follower }))
    await cluster.waitForIsr('probed-0', 2)
    await sendOnce()
  })
})

describe('load', () => {
  it.each(['connections', 'garbage', 'huge-request', 'slow-reader'])('load %s: nobody else notices', async (kind) => {
    await hit(await add('load', kind, kind === 'connections' ? { with: { count: 100 } } : {}))
    await sendOnce()
  })
})

it('nothing that was acknowledged through all of it is lost', async () => {
  isOver = true
  await traffic.stop()
  await traffic.expectAllThere()
})
