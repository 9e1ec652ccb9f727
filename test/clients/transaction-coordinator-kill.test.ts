// A processor of every client that has transactions comes through the kill of its coordinators, of its transactional id and of its group: each
// record of its input is exactly once in its output, for whoever reads what is committed.
import { readCommitted } from '@faultline/client'
import { expect } from 'vitest'
import { createTopic, type TestCluster, until } from '../support/cluster.ts'
import { CLIENTS, type Client, type Programs } from './clients.ts'
import { clientOf, GroupWatch, killCoordinator } from './coordinators.ts'
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

const transactional = CLIENTS.filter((client) => client.transactions)
eachClient(transactional, 'copies each record once while the coordinators of its transactions and group are killed', surviveKills)

async function surviveKills(client: Client, programs: Programs, test: TestCluster): Promise<void> {
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
  await killCoordinator(test, `coordinator:txn:${TRANSACTIONAL_ID}`, flowing)
  await killCoordinator(test, `coordinator:group:${GROUP}`, flowing)
  expect(await writer.finish(), writer.program.complaints).toBe(0)
  await until('every position committed', async () => {
    processor.mustRun()
    return watch.progress === writer.written
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${watch.progress} of ${writer.written}; ${processor.complaints}`)
  })
  watch.mustNotHaveGoneBack()
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
