// Turns the nodes' events into sentences. Twelve partitions shrink their ISR in one moment: that is one sentence.
import type { NodeEvent, Timeline } from './timeline.ts'
import type { Screen } from './screen.ts'

/** Changes that come within this time are told together. */
const GATHER_MS = 60

export class Narrator {
  readonly #screen: Screen
  readonly #timeline: Timeline
  readonly #topic: string
  readonly #partitions: number
  readonly #gathered = new Map<string, NodeEvent[]>()
  #underReplicated = 0

  constructor(screen: Screen, timeline: Timeline, topic: string, partitions: number) {
    this.#screen = screen
    this.#timeline = timeline
    this.#topic = topic
    this.#partitions = partitions
  }

  hear(event: NodeEvent): void {
    switch (event.event) {
      case 'broker.fenced':
        return this.#screen.event(`${event.node} fences broker ${event.broker}: no heartbeat within its session`)
      case 'controller.active':
        return this.#screen.event(`${event.node} is the active controller (term ${event.term})`)
      case 'partition.change':
        if (event.topic !== this.#topic) return
        this.#gather(event.elected ? 'election' : 'isr', event)
        return this.#countUnderReplicated()
      case 'replica.truncate':
        return this.#screen.event(
          `${event.node} truncates ${event.topic}-${event.partition} from ${event.from} to ${event.to}: broker ${event.leader}'s epoch ${event.epoch} has no more`,
        )
      case 'broker.registered':
        return this.#screen.event(`broker ${event.broker} registers (epoch ${event.epoch})`)
      case 'broker.registration-refused':
        return this.#screen.event(`${event.node} may not register yet: ${event.error}`)
      case 'broker.running':
        return this.#screen.event(`${event.node} is unfenced and catches up`)
      default:
    }
  }

  get underReplicated(): number {
    return Array.from({ length: this.#partitions }, (_, p) => this.#timeline.now(p)).filter(
      (s) => s && s.isr.length < s.replicas.length,
    ).length
  }

  #countUnderReplicated(): void {
    const count = this.underReplicated
    if (count !== this.#underReplicated && (count === 0 || this.#underReplicated === 0)) {
      this.#underReplicated = count
      if (count === 0) this.#screen.event('under-replicated partitions: 0; every ISR is full again')
    }
  }

  #gather(kind: string, event: NodeEvent): void {
    const group = this.#gathered.get(kind)
    if (group) return void group.push(event)
    this.#gathered.set(kind, [event])
    setTimeout(() => {
      const events = this.#gathered.get(kind)!
      this.#gathered.delete(kind)
      if (kind === 'election') this.#tellElections(events)
      else this.#tellIsrs(events)
    }, GATHER_MS)
  }

  #tellElections(events: readonly NodeEvent[]): void {
    const victim = events.find((e) => e.partition === 0) ?? events[0]!
    const others = events.length > 1 ? ` (and ${events.length - 1} more partitions)` : ''
    this.#screen.event(
      `${victim.node} elects broker ${victim.leader} for ${this.#topic}-${victim.partition}, leader epoch ${victim.leaderEpoch}, ISR ${list(victim.isr)}${others}`,
    )
  }

  #tellIsrs(events: readonly NodeEvent[]): void {
    const last = events.at(-1)!
    this.#screen.event(
      `ISR of ${this.#topic}-${last.partition} is ${list(last.isr)}${events.length > 1 ? ` (and ${events.length - 1} more changes)` : ''}; under-replicated partitions: ${this.underReplicated}`,
    )
  }
}

function list(ids: unknown): string {
  return `[${(ids as readonly number[]).join(', ')}]`
}
