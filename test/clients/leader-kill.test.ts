// Every client goes through the kill of a leader, with one group reading all the while: what was acknowledged is found once and in order.
import { expect, it } from 'vitest'
import { createTopic, leaderOf, type TestCluster, until } from '../support/cluster.ts'
import { CLIENTS, type Client, type Programs } from './clients.ts'
import { eachClient, required } from './each-client.ts'
import { OF_RECORDS, Reader, Writer } from './traffic.ts'

const TOPIC = 'orders'
const PARTITIONS = 3
/** Records on the partition before the kill, after the election, and after the killed broker is back. */
const ENOUGH = 100

it('REQUIRE_CLIENTS names clients that there are', () => {
  expect(CLIENTS.map((c) => c.name)).toEqual(expect.arrayContaining(required))
})

eachClient(CLIENTS, 'finds everything acknowledged, once and in order, after its leader was killed', surviveLeaderKill)

async function surviveLeaderKill(client: Client, programs: Programs, test: TestCluster): Promise<void> {
  await createTopic(test.kafka, TOPIC, PARTITIONS)
  const target = { bootstrap: test.bootstrap, topic: TOPIC }
  await using writer = new Writer(client, programs, target)
  await using witness = new Reader(client, programs, target, 'witness')
  const fault = await killLeader(test, async () => {
    const reached = (client.acknowledges ? writer.acknowledged(0) : witness.next(0)) + ENOUGH
    await until(`${ENOUGH} more records of ${client.name} on ${TOPIC}-0`, async () => {
      writer.program.mustRun()
      witness.program.mustRun()
      return witness.next(0) >= reached && (!client.acknowledges || writer.acknowledged(0) >= reached)
    })
  })
  expect(await writer.finish(), writer.program.complaints).toBe(0)

  await using reader = new Reader(client, programs, target, 'reader')
  await readToTheEnd(test, witness)
  await readToTheEnd(test, reader)
  const clean = { anomalies: Object.fromEntries(OF_RECORDS.map((c) => [c.anomaly, 0])), acknowledged: writer.written }
  for (const group of [reader, witness]) {
    const judged = writer.judge(group, witness, fault)
    expect(judged, group.program.complaints).toMatchObject(clean)
    expect(Math.min(judged.acknowledgedBefore, judged.acknowledgedAfter)).toBeGreaterThanOrEqual(ENOUGH)
  }
  expect(reader.found).toEqual(witness.found)
}

/** Kills, elects, restarts; `flowing` resolves when records go through. */
async function killLeader(
  { cluster }: TestCluster,
  flowing: () => Promise<void>,
): Promise<{ killedMs: number; electedMs: number }> {
  await flowing()
  const before = (await leaderOf(cluster, TOPIC, 0))!
  const killed = await cluster.act('kill', `leader:${TOPIC}-0`)
  expect(killed.id).toBe(before.leader)
  const killedMs = Date.now()
  await until('another leader', async () => {
    const leader = await leaderOf(cluster, TOPIC, 0)
    return leader && leader.leader !== killed.id && leader.leaderEpoch > before.leaderEpoch
  })
  const electedMs = Date.now()
  await flowing()
  await cluster.act('restart', killed.name)
  await until('a full ISR', async () => (await leaderOf(cluster, TOPIC, 0))?.isr.length === 3)
  await flowing()
  return { killedMs, electedMs }
}

async function readToTheEnd({ cluster }: TestCluster, reader: Reader): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { highWatermark } = await until('a leader', () => leaderOf(cluster, TOPIC, partition))
    await until(`end of ${TOPIC}-${partition}`, async () => {
      reader.program.mustRun()
      return reader.next(partition) >= highWatermark
    }).catch((error: Error) => {
      const where = `the ${reader.group} group is at ${reader.next(partition)} of ${highWatermark}`
      throw new Error(`${error.message}, ${where}: ${reader.program.complaints}`)
    })
  }
  // A JVM that ends on a signal says so.
  expect([0, 143], reader.program.complaints).toContain(await reader.program.terminate())
}
