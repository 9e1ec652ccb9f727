// A group of every client comes through the kill of its coordinator: stable again, with nothing acknowledged unread, and no position told
// that was not committed, or that had been replaced.
import { expect } from 'vitest'
import { createTopic, type TestCluster, until } from '../support/cluster.ts'
import { CLIENTS, type Client, type Programs } from './clients.ts'
import { GroupWatch, killCoordinator } from './coordinators.ts'
import { eachClient } from './each-client.ts'
import { Reader, Writer } from './traffic.ts'

const TOPIC = 'orders'
const GROUP = 'processor'
const PARTITIONS = 4
const MEMBERS = 2
/** Records committed before the kill, after the next coordinator took over, and after the killed broker is back. */
const ENOUGH = 200

const title = 'has a stable group, everything read and no position untrue after its coordinator was killed'
eachClient(CLIENTS, title, surviveCoordinatorKill)

async function surviveCoordinatorKill(client: Client, programs: Programs, test: TestCluster): Promise<void> {
  await createTopic(test.kafka, TOPIC, PARTITIONS)
  const target = { bootstrap: test.bootstrap, topic: TOPIC }
  await using writer = new Writer(client, programs, target)
  await using first = new Reader(client, programs, target, GROUP)
  await using second = new Reader(client, programs, target, GROUP)
  const members = [first, second]
  await using watch = new GroupWatch(test, GROUP)

  const flowing = async () => {
    const reached = watch.progress + ENOUGH
    await until(`a stable group of ${client.name} with ${ENOUGH} more records committed`, async () => {
      for (const { program } of [writer, ...members]) program.mustRun()
      const { state, description } = watch.report ?? {}
      return watch.progress >= reached && state === 'Stable' && description?.members.length === MEMBERS
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${watch.progress} of ${reached}, ${JSON.stringify(watch.report)}`)
    })
  }
  await killCoordinator(test, `coordinator:group:${GROUP}`, flowing)
  expect(await writer.finish(), writer.program.complaints).toBe(0)

  const found = () => new Set(members.flatMap((m) => m.reads.map((r) => r.value)))
  await until('every record', async () => found().size === writer.written).catch((error: Error) => {
    throw new Error(`${error.message}: ${found().size} of ${writer.written}; ${members.map((m) => m.program.complaints).join()}`)
  })
  for (const { program, reads } of members) {
    // A JVM that ends on a signal says so.
    expect([0, 143], program.complaints).toContain(await program.terminate())
    expect(new Set(reads.map((r) => `${r.partition} ${r.offset} ${r.value}`)).size).toBe(
      new Set(reads.map((r) => `${r.partition} ${r.offset}`)).size,
    )
  }
  await watch.mustAgreeWithLog()
}
