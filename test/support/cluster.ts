// A cluster of real processes for one test: on free ports, in a folder of its own, gone afterwards, also when the test fails.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, type StartOptions } from '@faultline/director'
import { type Admin, Kafka, type KafkaConfig, logLevel } from 'kafkajs'

export const DIST = join(import.meta.dirname, '../../dist')

export interface TestCluster extends AsyncDisposable {
  readonly cluster: Cluster
  readonly bootstrap: string
  readonly kafka: Kafka
}

export async function startTestCluster(options: Partial<StartOptions> = {}): Promise<TestCluster> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'faultline-test-'))
  const cluster = await Cluster.start({
    folder,
    program: DIST,
    detached: false,
    brokers: 3,
    controllers: 3,
    port: 0,
    host: '127.0.0.1',
    advertise: '127.0.0.1',
    racks: [],
    settings: {},
    fast: true,
    ...options,
  }).catch((error: Error) => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    throw error
  })
  const stop = async () => {
    await cluster.down(true).catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await cluster.ready()
  } catch (error) {
    await stop()
    throw error
  }
  return { cluster, bootstrap: cluster.bootstrap, kafka: kafkaFor(cluster.bootstrap), [Symbol.asyncDispose]: stop }
}

export function kafkaFor(bootstrap: string, options: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({
    clientId: 'test',
    brokers: bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 100, initialRetryTime: 50, maxRetryTime: 300 },
    ...options,
  })
}

export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

export async function createTopic(
  kafka: Kafka,
  topic: string,
  numPartitions: number,
  config: Record<string, string> = { 'min.insync.replicas': '2' },
): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions, replicationFactor: 3, configEntries }] }),
  )
}

/** Waits for a condition; what it waits for is in the error. */
export async function until<T>(what: string, condition: () => Promise<T | undefined | false>, limitMs = 30_000): Promise<T> {
  const deadline = Date.now() + limitMs
  for (;;) {
    const found = await condition()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) throw new Error(`no ${what} within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export interface PartitionReport {
  readonly topic: string
  readonly partition: number
  readonly leads: boolean
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly highWatermark: number
  readonly logEndOffset: number
}

/** What each broker says of its replica of a partition, by broker id. */
export async function replicasOf(cluster: Cluster, topic: string, partition: number): Promise<Map<number, PartitionReport>> {
  const found = new Map<number, PartitionReport>()
  for (const { id, role, report } of await cluster.status()) {
    if (role !== 'broker') continue
    const replica = ((report?.partitions ?? []) as PartitionReport[]).find((p) => p.topic === topic && p.partition === partition)
    if (replica) found.set(id, replica)
  }
  return found
}

export async function leaderOf(cluster: Cluster, topic: string, partition: number): Promise<PartitionReport | undefined> {
  return [...(await replicasOf(cluster, topic, partition)).values()].find((r) => r.leads)
}
