// A cluster in a test, in vitest, jest or node:test: `await using cluster = await startCluster({ brokers: 3 })`. It has free ports and a
// folder of its own, and is gone with it when the block ends, also when the test fails.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, type StartOptions } from './cluster.ts'
import type { ClusterEvent } from './events/cluster-events.ts'
import type { FaultView } from './fault/fault-entry.ts'
import type { FaultRequestInput } from './fault/fault-request.ts'
import type { NodeView, ProcessVerb } from './fleet.ts'

export type ClusterOptions = Partial<Omit<StartOptions, 'folder' | 'detached' | 'program'>>

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
    waitForIsr: (partition, size, limitMs) => cluster.waitForIsr(partition, size, limitMs),
    waitForLeader: (partition, not, limitMs) => cluster.waitForLeader(partition, not, limitMs),
    events: (after, signal) => cluster.events(after, signal),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
