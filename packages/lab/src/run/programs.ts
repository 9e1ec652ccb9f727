// A program that is part of the load, seen from the brokers: they note what it asks while the run goes on, and at the end that is its history.
import type { Experiment } from '../experiment/schema.ts'
import type { EdgeRequest } from '../history/edge-request.ts'
import { addFromEdge } from '../history/from-edge.ts'
import type { History } from '../history/history.ts'
import { isOurs } from '../workloads/client-ids.ts'
import { Connections, type Owner } from './connections.ts'
import { readEdge } from './edge.ts'
import type { RunningWorld } from '../worlds/world.ts'

/** What every client asks, whatever it is there for. */
const SMALL_TALK: readonly string[] = ['ApiVersions', 'Metadata', 'DescribeCluster', 'FindCoordinator']

/** All that there is by then is looked at. */
const LOOK_EVERY_MS = 500

export class Programs {
  readonly #world: RunningWorld
  readonly #connections: Connections
  #lookedAt = 0

  private constructor(world: RunningWorld, copies: () => readonly Owner[]) {
    this.#world = world
    this.#connections = new Connections(world.bootstrap, copies)
  }

  static async watch(world: RunningWorld, copies: () => readonly Owner[]): Promise<Programs> {
    await world.cluster.record()
    const programs = new Programs(world, copies)
    programs.#connections.start()
    return programs
  }

  stop(): void {
    this.#connections.stop()
  }

  /** It has begun to read, to write, or to join a group. */
  async hasAsked(): Promise<boolean> {
    if (Date.now() - this.#lookedAt < LOOK_EVERY_MS) return false
    this.#lookedAt = Date.now()
    for await (const line of this.#world.cluster.edge()) {
      const { client, api } = line as unknown as EdgeRequest
      if (api !== undefined && !isOurs(client) && !SMALL_TALK.includes(api)) return true
    }
    return false
  }

  /** Adds what it did, and writes `file`. Why that proves less than it might. */
  async addTo(history: History, file: string, { topics, expect }: Experiment): Promise<string[]> {
    const { requests, full } = await readEdge(this.#world.cluster, file, (remote) => this.#connections.of(remote))
    if (full.length > 0)
      return [`${full.join(', ')} could not note all that the program asked: it asks for too much to be judged by that`]
    addFromEdge(history, requests, new Set(topics.map((t) => t.name)))
    const isIdle = !history.given.some((g) => g.to > g.from) && !requests.some((r) => r.api === 'Produce')
    // One that judges itself may have other things to do.
    if (!isIdle || expect.finishes !== undefined) return []
    return [
      `the program has read nothing and written nothing: ${requests.length === 0 ? 'it asked no broker for anything' : inWords(requests)}`,
    ]
  }
}

function inWords(requests: readonly EdgeRequest[]): string {
  const counts = new Map<string, number>()
  for (const { api } of requests) counts.set(api, (counts.get(api) ?? 0) + 1)
  return [...counts].map(([api, n]) => `${n} ${api}`).join(', ')
}
