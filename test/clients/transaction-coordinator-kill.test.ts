// A processor of every client that has transactions comes through the kill of its coordinators, of its transactional id and of its group: each
// record of its input is exactly once in its output, for whoever reads what is committed.
import { readCommitted } from '@faultline/client'
import { expect } from 'vitest'
import { createTopic, type TestCluster, until } from '../support/cluster.ts'
import { CLIENTS, type Client, type Programs } from './clients.ts'
import { clientOf, GroupWatch, killBetweenMarkers, killCoordinator, killInState } from './coordinators.ts'
import { eachClient } from './each-client.ts'
import { Program } from './program.ts'
import { Writer } from './traffic.ts'

const TOPIC = 'orders'
const OUTPUT = 'enriched'
const GROUP = 'processor'
const TRANSACTIONAL_ID = 'processor-1'
const PARTITIONS = 3
/** Records copied before each kill, after the next coordinator took over, and after the killed broker is back. */
const ENOUGH = 200
/** A client may wait out its own request timeout first: librdkafka's is 60 s. */
const LIMIT_MS = 90_000

/** What happens to the coordinators while records `flow`, which waits until more of them are copied. */
type Blow = (test: TestCluster, flowing: () => Promise<void>) => Promise<void>

const AT_ROLES: readonly Blow[] = [`coordinator:txn:${TRANSACTIONAL_ID}`, `coordinator:group:${GROUP}`].map(
  (role) => (test, flowing) => killCoordinator(test, role, flowing),
)

/** Before the decision is appended, before it is replicated and any marker is sent, between two markers, and after the last. */
const AT_EACH_STEP: readonly Blow[] = [
  (test, flowing) => killInState(test, TRANSACTIONAL_ID, 'Ongoing', flowing),
  (test, flowing) => killInState(test, TRANSACTIONAL_ID, 'PrepareCommit', flowing),
  (test, flowing) => killBetweenMarkers(test, TRANSACTIONAL_ID, flowing),
  (test, flowing) => killInState(test, TRANSACTIONAL_ID, 'CompleteCommit', flowing),
]

const transactional = CLIENTS.filter((client) => client.transactions)
eachClient(
  transactional,
  'copies each record once while the coordinators of its transactions and group are killed',
  (client, programs, test) => survive(AT_ROLES, client, programs, test),
)
eachClient(
  CLIENTS.filter((client) => client.name === 'kafkajs'),
  'copies each record once though its coordinator is killed at each step of a transaction',
  (client, programs, test) => survive(AT_EACH_STEP, client, programs, test),
)

async function survive(blows: readonly Blow[], client: Client, programs: Programs, test: TestCluster): Promise<void> {
  for (const topic of [TOPIC, OUTPUT]) await createTopic(test.kafka, topic, PARTITIONS)
  const target = { bootstrap: test.bootstrap, topic: TOPIC }
  const copying = { ...target, output: OUTPUT, group: GROUP, transactionalId: TRANSACTIONAL_ID }
  let copied = 0
  await using writer = new Writer(client, programs, target)
  await using processor = new Program(`${client.name}'s processor`, programs.process!(copying), (line) => {
    copied += Number(line)
  })
  await using watch = new GroupWatch(test, GROUP)

  const flowing = async () => {
    const reached = copied + ENOUGH
    const enough = async () => {
      processor.mustRun()
      writer.program.mustRun()
      return copied >= reached
    }
    await until(`${ENOUGH} more records copied by ${client.name}`, enough, LIMIT_MS).catch((error: Error) => {
      throw new Error(`${error.message}: ${processor.complaints}`)
    })
  }
  for (const blow of blows) await blow(test, flowing)
  expect(await writer.finish(), writer.program.complaints).toBe(0)
  await until('every position committed', async () => {
    processor.mustRun()
    return watch.progress === writer.written
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${watch.progress} of ${writer.written}; ${processor.complaints}`)
  })
  await watch.mustAgreeWithLog()
  expect([0, 143], processor.complaints).toContain(await processor.terminate())

  const output = (await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => committedIn(test, partition)))).flat()
  const expected = Array.from({ length: writer.written }, (_, sequence) => sequence)
  expect(output.sort((a, b) => a - b)).toEqual(expected)
}

async function committedIn(test: TestCluster, partition: number): Promise<number[]> {
  const client = clientOf(test)
  const found: number[] = []
  for (let offset = 0; ;) {
    const { records, nextOffset } = await readCommitted(client, OUTPUT, partition, offset, () => false)
    if (nextOffset === offset) break
    offset = nextOffset
    found.push(...records.map(({ value }) => Number(Buffer.from(value).toString())))
  }
  client.close()
  return found
}
