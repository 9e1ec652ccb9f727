// What nodes show of themselves over HTTP, as a Prometheus server reads it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, leaderOf, startTestCluster, type TestCluster, until } from '../support/cluster.ts'
import { parseExposition, type Scrape } from '../support/exposition.ts'

describe('the metrics of a cluster', () => {
  let test: TestCluster
  beforeAll(async () => {
    // A follower that is gone leaves the ISR because its leader says so, long before the controller fences it.
    test = await startTestCluster({ settings: { 'broker.session.timeout.ms': '8000', 'replica.lag.time.max.ms': '1000' } })
    await createTopic(test.kafka, 'orders', 3)
  })
  afterAll(() => test[Symbol.asyncDispose]())

  const get = async (node: string, path: string) => fetch(`http://127.0.0.1:${(await test.cluster.find(node)).httpPort}${path}`)

  const scrape = async (node: string): Promise<Scrape> => parseExposition(await (await get(node, '/metrics')).text())

  it('are in the text format, on every node', async () => {
    for (const { name } of await test.cluster.nodes()) {
      const response = await get(name, '/metrics')
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
      const found = parseExposition(await response.text())
      expect(found.value('process_resident_memory_bytes')).toBeGreaterThan(1e6)
      expect(found.value('faultline_event_loop_delay_seconds', { quantile: '0.99' })).toBeGreaterThanOrEqual(0)
    }
  })

  it('count what is produced, by topic and by request', async () => {
    const leader = `broker:${(await leaderOf(test.cluster, 'orders', 0))!.leader}`
    const before = await scrape(leader)
    const producer = test.kafka.producer()
    await producer.connect()
    for (const value of ['a', 'b', 'c']) await producer.send({ topic: 'orders', acks: -1, messages: [{ value, partition: 0 }] })
    await producer.disconnect()
    const after = await scrape(leader)
    const moved = (name: string, labels: Record<string, string> = {}) => after.sum(name, labels) - before.sum(name, labels)
    expect(moved('kafka_server_brokertopicmetrics_messagesin_total', { topic: 'orders' })).toBe(3)
    expect(moved('kafka_server_brokertopicmetrics_bytesin_total', { topic: 'orders' })).toBeGreaterThan(3 * 61)
    expect(moved('kafka_network_requestmetrics_requests_total', { request: 'Produce' })).toBe(3)
    expect(moved('kafka_network_requestmetrics_totaltimems_count', { request: 'Produce' })).toBe(3)
    expect(after.value('kafka_network_requestmetrics_totaltimems', { request: 'Produce', quantile: '0.99' })).toBeGreaterThan(0)
    expect(after.value('kafka_log_log_logendoffset', { topic: 'orders', partition: '0' })).toBe(3)
    const follower = `broker:${(Number(leader.slice(-1)) % 3) + 1}`
    expect(
      (await scrape(follower)).value('kafka_server_fetcherlagmetrics_consumerlag', { topic: 'orders', partition: '0' }),
    ).toBe(0)
    expect(after.value('kafka_log_log_size', { topic: 'orders', partition: '0' })).toBeGreaterThan(3 * 61)
  })

  it('have one active controller, which counts the cluster', async () => {
    const names = (await test.cluster.nodes()).filter((n) => n.role === 'controller').map((n) => n.name)
    const scrapes = await Promise.all(names.map(scrape))
    const active = scrapes.filter((s) => s.value('kafka_controller_kafkacontroller_activecontrollercount') === 1)
    expect(active).toHaveLength(1)
    expect(active[0]!.value('kafka_controller_kafkacontroller_globalpartitioncount')).toBe(3)
    expect(active[0]!.value('kafka_controller_kafkacontroller_activebrokercount')).toBe(3)
    expect(active[0]!.value('kafka_controller_kafkacontroller_offlinepartitionscount')).toBe(0)
  })

  it('count the hits of faults', async () => {
    await test.cluster.addFault({ family: 'protocol', kind: 'delay', where: { apis: ['Metadata'] }, with: { ms: 1 } })
    const admin = test.kafka.admin()
    await admin.connect()
    await admin.fetchTopicMetadata({ topics: ['orders'] })
    await admin.disconnect()
    await test.cluster.healAll()
    const scrapes = await Promise.all([1, 2, 3].map((id) => scrape(`broker:${id}`)))
    const hits = scrapes.map((s) => s.sum('faultline_fault_hits_total', { family: 'protocol', kind: 'delay' }))
    expect(hits.reduce((a, b) => a + b)).toBeGreaterThan(0)
  })

  it('say who is well', async () => {
    for (const { name } of await test.cluster.nodes()) {
      const response = await get(name, '/health')
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ serves: true })
    }
    expect((await get('broker:1', '/nothing')).status).toBe(404)
  })

  it('show an ISR that shrinks when a broker is killed, and grows when it is back', async () => {
    const killed = await test.cluster.act('kill', 'leader:orders-0')
    const living = [1, 2, 3].filter((id) => id !== killed.id).map((id) => `broker:${id}`)
    const sums = async (name: string) => (await Promise.all(living.map(scrape))).reduce((n, s) => n + s.sum(name), 0)
    // A follower that misses nothing is in sync for ever, also when it is dead.
    const partition = await until('a partition that is led', async () => {
      const leaders = await Promise.all([1, 2].map((index) => leaderOf(test.cluster, 'orders', index)))
      return leaders.find((leader) => leader !== undefined)?.partition
    })
    const producer = test.kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', acks: 1, messages: [{ value: 'd', partition }] })
    await producer.disconnect()
    await until('shrunk ISRs', async () => (await sums('kafka_server_replicamanager_isrshrinks_total')) >= 1)
    expect(await sums('kafka_server_replicamanager_underreplicatedpartitions')).toBeGreaterThan(0)
    await test.cluster.act('restart', killed.name)
    await until('grown ISRs', async () => (await sums('kafka_server_replicamanager_isrexpands_total')) >= 1)
    await until('full ISRs', async () => (await sums('kafka_server_replicamanager_underreplicatedpartitions')) === 0)
  })

  it('say that a controller without a quorum is not well', async () => {
    const [last, ...others] = (await test.cluster.nodes()).filter((n) => n.role === 'controller')
    for (const { name } of others) await test.cluster.act('kill', name)
    await until('a controller that is not well', async () => (await get(last!.name, '/health')).status === 503)
    expect((await scrape(last!.name)).value('kafka_server_raftmetrics_current_leader')).toBe(-1)
  })
})
