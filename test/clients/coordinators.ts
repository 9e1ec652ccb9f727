// Kills who coordinates, and watches what groups have committed meanwhile.
import { type ClusterClient, type GroupReport, readCommitted, reportGroups } from '@faultline/client'
import { partitionOf } from '@faultline/coordinator'
import type { Cluster } from '@faultline/director'
import { socketClient } from '@faultline/node'
import { decodeGroupRecordKey, decodeOffsetCommitValue } from '@faultline/protocol'
import { expect } from 'vitest'
import { type TestCluster, until } from '../support/cluster.ts'

const WATCH_MS = 100
const OFFSETS = '__consumer_offsets'
const OFFSETS_PARTITIONS = 50

export function clientOf({ bootstrap }: TestCluster): ClusterClient {
  return socketClient(bootstrap.split(','), 'test')
}

/** Kills the coordinator, waits until another has taken over and `flowing` again, and brings the killed one back. */
export async function killCoordinator({ cluster }: TestCluster, role: string, flowing: () => Promise<void>): Promise<void> {
  await flowing()
  const killed = await cluster.act('kill', role)
  await until('another coordinator', async () => (await cluster.find(role)).name !== killed.name)
  await flowing()
  await cluster.act('restart', killed.name)
  await allRunning(cluster)
  await flowing()
}

/** As `killCoordinator`, in the moment in which the transaction comes into `state`: nothing has left the coordinator since. */
export async function killInState(
  { cluster }: TestCluster,
  id: string,
  state: string,
  flowing: () => Promise<void>,
): Promise<void> {
  await flowing()
  const when = `txn(${id}).state = ${state}`
  const kill = await cluster.addFault({ family: 'process', kind: 'kill', node: `coordinator:txn:${id}`, when, count: 1 })
  await struck(cluster, kill.id)
  await flowing()
  await cluster.heal(kill.id)
  await allRunning(cluster)
  await flowing()
}

/** As `killCoordinator`, when one partition has its marker and its leader, stopped in its tracks, has told nobody. */
export async function killBetweenMarkers({ cluster }: TestCluster, id: string, flowing: () => Promise<void>): Promise<void> {
  await flowing()
  const pause = await cluster.addFault({
    family: 'process',
    kind: 'pause-at-point',
    where: { point: 'markers.appended' },
    count: 1,
  })
  const after = { fault: pause.id, hits: 1 }
  const kill = await cluster.addFault({ family: 'process', kind: 'kill', node: `coordinator:txn:${id}`, after, count: 1 })
  await struck(cluster, kill.id)
  await cluster.heal(pause.id)
  await flowing()
  await cluster.heal(kill.id)
  await allRunning(cluster)
  await flowing()
}

async function struck(cluster: Cluster, fault: string): Promise<void> {
  await until(`a hit of ${fault}`, async () => (await cluster.faults()).find(({ id }) => id === fault)!.hits > 0)
}

async function allRunning(cluster: Cluster): Promise<void> {
  await until('every broker', async () => (await cluster.nodes()).every((n) => n.role === 'controller' || n.state === 'running'))
}

/** Looks at one group all the time: what it is told to have committed. */
export class GroupWatch implements AsyncDisposable {
  readonly #client: ClusterClient
  readonly #group: string
  /** For each partition what was told, wherever it was not the same as before. */
  readonly #told = new Map<string, number[]>()
  readonly #running: Promise<void>
  #stopped = false
  /** As it was seen last. */
  report: GroupReport | undefined

  constructor(test: TestCluster, group: string) {
    this.#client = clientOf(test)
    this.#group = group
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const found = await reportGroups(this.#client).catch(() => undefined)
      this.report = found?.answers.find((g) => g.groupId === this.#group) ?? this.report
      for (const { topic, partition, committed } of this.report?.positions ?? []) this.#see(`${topic}-${partition}`, committed)
      await this.#client.pause(WATCH_MS)
    }
  }

  #see(partition: string, committed: number | null): void {
    const told = this.#told.get(partition) ?? []
    if (committed !== null && committed !== told.at(-1)) this.#told.set(partition, [...told, committed])
  }

  /** The sum of all that is committed. */
  get progress(): number {
    return [...this.#told.values()].reduce((sum, told) => sum + told.at(-1)!, 0)
  }

  /**
   * No coordinator ever told a position that its log does not have, or told one again that had been replaced. That a position never goes back
   * would be too much: librdkafka commits again, after a newer one, what a coordinator that was loading refused (rd_kafka_handle_OffsetCommit).
   */
  async mustAgreeWithLog(): Promise<void> {
    const log = await this.#log()
    for (const [partition, told] of this.#told) {
      const written = log.get(partition) ?? []
      let at = 0
      for (const position of told) {
        const found = written.indexOf(position, at)
        expect(found, `${partition} was told to be at ${position}: told ${told}, written ${written}`).toBeGreaterThanOrEqual(0)
        at = found
      }
    }
  }

  /** The positions that were written for each partition, without those of aborted transactions. */
  async #log(): Promise<Map<string, number[]>> {
    const written = new Map<string, number[]>()
    for (let offset = 0; ;) {
      const { records, nextOffset } = await readCommitted(this.#client, OFFSETS, this.#partition, offset, () => false)
      if (nextOffset === offset) return written
      offset = nextOffset
      for (const { key, value } of records) {
        const decoded = decodeGroupRecordKey(key)
        if (decoded.type !== 'OffsetCommit' || decoded.key.group !== this.#group || value.length === 0) continue
        const partition = `${decoded.key.topic}-${decoded.key.partition}`
        written.set(partition, [...(written.get(partition) ?? []), decodeOffsetCommitValue(value).offset])
      }
    }
  }

  get #partition(): number {
    return partitionOf(this.#group, OFFSETS_PARTITIONS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    await this.#running
    this.#client.close()
  }
}
