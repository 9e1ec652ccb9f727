// A cluster in a test, in vitest, jest or node:test: `await using cluster = await startCluster({ brokers: 3 })`. It has free ports and a
// folder of its own, and is gone with it when the block ends, also when the test fails.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { Cluster, type StartOptions } from './cluster.ts'
import type { ClusterEvent } from './events/cluster-events.ts'
import type { FaultView } from './fault/fault-entry.ts'
import type { FaultRequestInput } from './fault/fault-request.ts'
import type { NodeView, ProcessVerb } from './fleet.ts'

export type ClusterOptions = Partial<Omit<StartOptions, 'folder' | 'detached' | 'program'>>

const WAIT_MS = 30_000
const POLL_MS = 50

interface PartitionView {
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
}

export interface StartedCluster extends AsyncDisposable {
  readonly cluster: Cluster
  /** "127.0.0.1:32789,…", for any client. */
  readonly bootstrap: string
  kill(node: string): Promise<NodeView>
  terminate(node: string): Promise<NodeView>
  pause(node: string): Promise<NodeView>
  resume(node: string): Promise<NodeView>
  restart(node: string): Promise<NodeView>
  fault(request: FaultRequestInput): Promise<FaultView>
  /** All faults, with their hits so far. */
  faults(): Promise<FaultView[]>
  heal(id: string): Promise<FaultView>
  healAll(): Promise<{ readonly healed: number }>
  /** Until the partition's ISR has `size` members. Refuses after `limitMs`. */
  waitForIsr(partition: string, size: number, limitMs?: number): Promise<readonly number[]>
  /** Until the partition is led, by another broker than `not` if that is given. Resolves with the leader's id. */
  waitForLeader(partition: string, not?: number, limitMs?: number): Promise<number>
  events(after: number, signal: AbortSignal): AsyncGenerator<ClusterEvent>
  stop(): Promise<void>
}

/** `program` is where the bundles are: by default, where this one is. */
export async function startCluster(options: ClusterOptions = {}, program = __dirname): Promise<StartedCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-'))
  const defaults = {
    brokers: 3,
    controllers: 3,
    port: 0,
    host: '127.0.0.1',
    advertise: '127.0.0.1',
    racks: [],
    settings: {},
    fast: true,
  }
  const wanted = { ...defaults, ...options, folder, program, detached: false }
  const cluster = await Cluster.start(wanted).catch((error: Error) => {
    rmSync(folder, { recursive: true, force: true })
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
  const act = (verb: ProcessVerb) => (node: string) => cluster.act(verb, node)
  return {
    cluster,
    bootstrap: cluster.bootstrap,
    kill: act('kill'),
    terminate: act('terminate'),
    pause: act('pause'),
    resume: act('resume'),
    restart: act('restart'),
    fault: (request) => cluster.addFault(request),
    faults: () => cluster.faults(),
    heal: (id) => cluster.heal(id),
    healAll: () => cluster.healAll(),
    waitForIsr: (partition, size, limitMs = WAIT_MS) =>
      waitFor(`${partition} to have ${size} in-sync replicas`, limitMs, async () => {
        const isr = (await partitionOf(cluster, partition))?.isr
        return isr?.length === size ? isr : undefined
      }),
    waitForLeader: (partition, not = -1, limitMs = WAIT_MS) =>
      waitFor(`a leader of ${partition}`, limitMs, async () => {
        const leader = (await partitionOf(cluster, partition))?.leader ?? -1
        return leader >= 0 && leader !== not ? leader : undefined
      }),
    events: (after, signal) => cluster.events(after, signal),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** As the active controller has it. */
async function partitionOf(cluster: Cluster, partition: string): Promise<PartitionView | undefined> {
  const dash = partition.lastIndexOf('-')
  const active = (await cluster.status()).find((n) => n.report?.state === 'active')
  const topics = (active?.report?.['topics'] ?? []) as { name: string; partitions: PartitionView[] }[]
  return topics.find((t) => t.name === partition.slice(0, dash))?.partitions[Number(partition.slice(dash + 1))]
}

async function waitFor<T>(what: string, limitMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline)
      throw new Refusal('TIMED_OUT', `waited ${limitMs} ms for ${what}`, 'look at the nodes with: npx faultline status')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
