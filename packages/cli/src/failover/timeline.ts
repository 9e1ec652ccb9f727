// What the cluster did, from the nodes' own events: elections, ISRs, truncations, as they happen.
import { type ClusterFolder, followSocket, type NodeView } from '@faultline/director'

export interface NodeEvent {
  readonly t: number
  readonly node: string
  readonly event: string
  readonly [field: string]: unknown
}

export interface PartitionView {
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
}

interface IsrChange extends PartitionView {
  readonly t: number
}

export class Timeline {
  readonly events: NodeEvent[] = []
  readonly #topic: string
  readonly #stops = new Map<string, () => void>()
  readonly #stories = new Map<number, IsrChange[]>()
  readonly #seen = new Set<string>()
  onEvent: (event: NodeEvent) => void = () => {}

  constructor(topic: string) {
    this.#topic = topic
  }

  /** Listens to a node from now on, and to everything that it still remembers. */
  follow(folder: ClusterFolder, { name }: Pick<NodeView, 'name'>): void {
    this.#stops.get(name)?.()
    const stop = followSocket(
      folder.socket(name),
      { verb: 'events' },
      (event) => this.#take(event as NodeEvent),
      () => this.#stops.delete(name),
    )
    this.#stops.set(name, stop)
  }

  stop(): void {
    for (const stop of this.#stops.values()) stop()
    this.#stops.clear()
  }

  /** The partition's leaders and ISRs since the first change, in order. */
  story(partition: number): readonly IsrChange[] {
    return this.#stories.get(partition) ?? []
  }

  now(partition: number): PartitionView | undefined {
    return this.story(partition).at(-1)
  }

  #take(event: NodeEvent): void {
    const key = JSON.stringify(event)
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.events.push(event)
    if (event.event === 'partition.change' && event.topic === this.#topic) {
      const { t, leader, leaderEpoch, isr, replicas, partition } = event as unknown as IsrChange & { partition: number }
      const story = this.#stories.get(partition) ?? []
      this.#stories.set(partition, story)
      story.push({ t, leader, leaderEpoch, isr, replicas })
    }
    this.onEvent(event)
  }
}
