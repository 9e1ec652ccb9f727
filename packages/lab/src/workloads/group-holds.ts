// Which partitions a consumer of kafkajs holds, from what it tells of itself; and what its coordinator has acknowledged to it.
import type { Consumer } from 'kafkajs'
import type { Hold, History } from '../history/history.ts'

export class GroupHolds {
  readonly #history: History
  readonly #process: string
  readonly #holds = new Map<string, Hold>()
  #committing = 0

  constructor(consumer: Consumer, process: string, history: History) {
    this.#history = history
    this.#process = process
    const { GROUP_JOIN, REBALANCING, CRASH, STOP, DISCONNECT, HEARTBEAT, COMMIT_OFFSETS, REQUEST } = consumer.events
    consumer.on(GROUP_JOIN, ({ payload }) => this.#assigned(payload.groupId, payload.memberAssignment))
    for (const event of [REBALANCING, CRASH, STOP, DISCONNECT] as const) consumer.on(event as typeof STOP, () => this.end())
    consumer.on(HEARTBEAT, ({ payload }) => this.#generation(payload.groupGenerationId))
    consumer.on(REQUEST, ({ payload }) => {
      if (payload.apiName === 'OffsetCommit') this.#committing = payload.sentAt
    })
    consumer.on(COMMIT_OFFSETS, ({ payload }) => this.#committed(payload))
  }

  of(topic: string, partition: number): Hold | undefined {
    return this.#holds.get(`${topic}-${partition}`)
  }

  /** What was read is read once more, as its reader could not finish with it. */
  again(topic: string, partition: number): void {
    const { group, generation } = this.of(topic, partition) ?? {}
    if (group === undefined) return
    this.of(topic, partition)!.ended = Date.now()
    this.#begin(group!, topic, partition).generation = generation ?? null
  }

  end(): void {
    for (const hold of this.#holds.values()) hold.ended = Date.now()
    this.#holds.clear()
  }

  #assigned(group: string, assignment: Readonly<Record<string, readonly number[]>>): void {
    this.end()
    for (const [topic, partitions] of Object.entries(assignment))
      for (const partition of partitions) this.#begin(group, topic, partition)
  }

  #begin(group: string, topic: string, partition: number): Hold {
    const hold = this.#history.hold(this.#process, group, topic, partition, null, Date.now())
    this.#holds.set(`${topic}-${partition}`, hold)
    return hold
  }

  #generation(generation: number): void {
    for (const hold of this.#holds.values()) hold.generation ??= generation
  }

  #committed(payload: CommitEvent): void {
    const { groupId: group, groupGenerationId: generation, topics } = payload
    const positions = topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition: Number(partition), offset: Number(offset) })),
    )
    const [began, ended] = [this.#committing, Date.now()]
    this.#history.commits.push({ op: 'commit', process: this.#process, group, generation, began, ended, positions })
  }
}

interface CommitEvent {
  readonly groupId: string
  readonly groupGenerationId: number
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: string | number; readonly offset: string }[]
  }[]
}
