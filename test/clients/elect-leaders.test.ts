// Elections that people ask for: with Apache Kafka's own kafka-leader-election, and from a program.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startCluster, type StartedCluster } from '@faultline/director'
import { DIST, kafkaFor, withAdmin } from '../support/cluster.ts'
import { required } from './each-client.ts'
import { prepareJava } from './java.ts'
import { Missing, need } from './need.ts'
import { Tools } from './tools.ts'

let folder: string
let cluster: StartedCluster

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-elections-'))
  cluster = await startCluster({ controllers: 1 }, DIST)
  await withAdmin(kafkaFor(cluster.bootstrap), (admin) =>
    admin.createTopics({
      waitForLeaders: true,
      topics: [
        { topic: 'pair', replicaAssignment: [{ partition: 0, replicas: [1, 2] }] },
        { topic: 'moved', replicaAssignment: [{ partition: 0, replicas: [1, 3, 2] }] },
      ],
    }),
  )
})
afterEach(async () => {
  await cluster.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Broker 1 dies, and is back as a follower. */
async function moveLeaders(): Promise<void> {
  await cluster.kill('broker:1')
  expect(await cluster.waitForLeader('moved-0', 1)).toBe(3)
  await cluster.restart('broker:1')
  await cluster.waitForIsr('moved-0', 3)
  await cluster.waitForIsr('pair-0', 2)
}

/** Broker 2 leaves the ISR, broker 1 dies, broker 2 is back: "pair" has no leader, "moved" has not its preferred one. */
async function loseLeader(): Promise<void> {
  await cluster.waitForLeader('pair-0', 2)
  await cluster.kill('broker:2')
  await cluster.waitForIsr('pair-0', 1)
  await cluster.kill('broker:1')
  await cluster.waitForIsr('pair-0', 0)
  await cluster.restart('broker:2')
  await cluster.waitForIsr('moved-0', 2)
}

/** What this machine has not is a reason to skip, unless it is required. */
async function ready<T>(name: string, skip: (reason: string) => void, prepare: () => Promise<T>): Promise<T> {
  try {
    return await prepare()
  } catch (error) {
    if (error instanceof Missing && !required.includes(name)) skip(error.message)
    throw error
  }
}

describe('kafka-leader-election', () => {
  it('elects, and says why not', async (context) => {
    const java = await ready('java-console', context.skip, () => prepareJava(folder))
    await using tools = new Tools(java)
    const elect = (args: string) =>
      tools.text(`LeaderElectionCommand --bootstrap-server ${cluster.bootstrap} --election-type ${args}`)
    const failure = (type: string, name: string, why: string) =>
      `Error completing leader election (${type.toUpperCase()}) for partition: ${name}: org.apache.kafka.common.errors.${why}`
    const file = join(folder, 'partitions.json')
    const partitions = ['moved', 'pair'].map((topic) => ({ topic, partition: 0 }))
    writeFileSync(file, JSON.stringify({ partitions }))

    expect(await elect('preferred --all-topic-partitions')).toBe('')
    expect(await elect('preferred --topic pair --partition 0')).toBe('Valid replica already elected for partitions pair-0')
    const unknown = 'UnknownTopicOrPartitionException'
    expect(await elect('unclean --topic nope --partition 0')).toContain(
      failure('unclean', 'nope-0', `${unknown}: No such topic as nope`),
    )
    expect(await elect('preferred --topic pair --partition 5')).toContain(
      failure('preferred', 'pair-5', `${unknown}: No such partition as pair-5`),
    )

    await moveLeaders()
    expect(await elect(`unclean --path-to-json-file ${file}`)).toBe(
      'Valid replica already elected for partitions moved-0, pair-0',
    )
    expect(await elect(`preferred --path-to-json-file ${file}`)).toBe(
      'Successfully completed leader election (PREFERRED) for partitions moved-0, pair-0',
    )
    expect(await cluster.waitForLeader('moved-0', 3)).toBe(1)

    await loseLeader()
    const unpreferred = 'PreferredLeaderNotAvailableException: The preferred leader was not available.'
    const refused = await elect('preferred --all-topic-partitions')
    expect(refused).toContain(failure('preferred', 'pair-0', unpreferred))
    expect(refused).toContain(failure('preferred', 'moved-0', unpreferred))
    expect(await elect('unclean --all-topic-partitions')).toBe(
      'Successfully completed leader election (UNCLEAN) for partitions pair-0',
    )
    expect(await cluster.waitForLeader('pair-0')).toBe(2)
  })
})

describe('elect_leaders of confluent-kafka', () => {
  it('elects, and says why not', async (context) => {
    const python = process.env.CLIENTS_PYTHON ?? 'python3'
    await ready('confluent-kafka', context.skip, async () => {
      await need('Python with confluent-kafka that has elect_leaders', python, ['-c', 'from confluent_kafka import ElectionType'])
    })
    const program = join(import.meta.dirname, 'programs/confluent-kafka/elect.py')
    const env = { ...process.env, BOOTSTRAP_SERVERS: cluster.bootstrap }
    const elect = async (...args: string[]): Promise<Record<string, string | null>> =>
      JSON.parse((await promisify(execFile)(python, [program, ...args], { env, timeout: 60_000 })).stdout)

    expect(await elect('PREFERRED', 'pair-0', 'nope-0')).toEqual({
      'pair-0': 'ELECTION_NOT_NEEDED',
      'nope-0': 'UNKNOWN_TOPIC_OR_PART',
    })
    await moveLeaders()
    expect(await elect('PREFERRED')).toEqual({ 'moved-0': null, 'pair-0': null })
    await loseLeader()
    expect(await elect('PREFERRED', 'pair-0')).toEqual({ 'pair-0': 'PREFERRED_LEADER_NOT_AVAILABLE' })
    expect(await elect('UNCLEAN', 'pair-0', 'moved-0')).toEqual({ 'pair-0': null, 'moved-0': 'ELECTION_NOT_NEEDED' })
  })
})
