// Kills who coordinates, and watches what groups have committed meanwhile.
import { type ClusterClient, type GroupReport, reportGroups } from '@faultline/client'
import type { Cluster } from '@faultline/director'
import { socketClient } from '@faultline/node'
import { expect } from 'vitest'
import { type TestCluster, until } from '../support/cluster.ts'

const WATCH_MS = 100

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

/** Looks at one group all the time. What it has committed never goes back. */
export class GroupWatch implements AsyncDisposable {
  readonly #client: ClusterClient
  readonly #group: string
  readonly #committed = new Map<string, number>()
  readonly #setbacks: string[] = []
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
    const before = this.#committed.get(partition) ?? -1
    if ((committed ?? -1) < before) this.#setbacks.push(`${partition} from ${before} to ${committed}`)
    else this.#committed.set(partition, committed ?? -1)
  }

  /** The sum of all that is committed. */
  get progress(): number {
    return [...this.#committed.values()].reduce((sum, offset) => sum + Math.max(0, offset), 0)
  }

  mustNotHaveGoneBack(): void {
    expect(this.#setbacks).toEqual([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    await this.#running
    this.#client.close()
  }
}
