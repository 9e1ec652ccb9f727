// Turns what happens in the cluster into sentences, from the first step of an experiment on. Twelve partitions that shrink their ISR in one
// moment are one sentence.
import type { ClusterEvent } from '@faultline/director'

/** Changes that come within this time are told together. */
const GATHER_MS = 60
const LOOK_MS = 50

/** What it asks about the run that it tells of. */
export interface Told {
  /** Something may be broken. */
  readonly isUnderway: boolean
  acknowledgedSince(topic: string, partition: number, time: number): boolean
}

interface PartitionState {
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
}

export class Narrator {
  readonly #say: (text: string) => void
  readonly #topics: ReadonlySet<string>
  readonly #run: Told
  readonly #states = new Map<string, PartitionState>()
  readonly #gathered = new Map<string, ClusterEvent[]>()
  readonly #hits = new Set<string>()
  #underReplicated = 0

  constructor(say: (text: string) => void, topics: readonly string[], run: Told) {
    this.#say = (text) => {
      if (run.isUnderway) say(text)
    }
    this.#topics = new Set(topics)
    this.#run = run
  }

  hear(event: ClusterEvent): void {
    switch (event.event) {
      case 'fault.hit':
        return this.#tellHit(event)
      case 'process.exit':
        return this.#say(`${event['name']} is gone (${event['how']})`)
      case 'process.start':
        return this.#say(`${event['name']} starts again${event['pid'] === undefined ? '' : ` (pid ${event['pid']})`}`)
      case 'broker.fenced':
        return this.#say(`${event.node} fences broker ${event['broker']}: no heartbeat within its session`)
      case 'broker.registered':
        return this.#say(`broker ${event['broker']} registers (epoch ${event['epoch']})`)
      case 'broker.registration-refused':
        return this.#say(`${event.node} may not register yet: ${event['error']}`)
      case 'broker.running':
        return this.#say(`${event.node} is unfenced and catches up`)
      case 'controller.active':
        return this.#say(`${event.node} is the active controller (term ${event['term']})`)
      case 'replica.truncate':
        return this.#tellTruncation(event)
      case 'group.state':
        if (event['state'] !== 'PreparingRebalance') return
        return this.#say(`group ${event['group']} rebalances: ${event['reason']}`)
      case 'partition.change':
        return this.#change(event)
      default:
    }
  }

  get underReplicated(): number {
    return [...this.#states.values()].filter((s) => s.isr.length < s.replicas.length).length
  }

  /** The first time: a fault may hit a thousand requests. */
  #tellHit({ node, ...event }: ClusterEvent): void {
    if (event['family'] === 'process' || event['family'] === 'link' || this.#hits.has(String(event['fault']))) return
    this.#hits.add(String(event['fault']))
    const where = ['api', 'topic', 'partition', 'to'].flatMap((f) => (event[f] === undefined ? [] : [`${f} ${event[f]}`]))
    this.#say(`${event['fault']} (${event['family']} ${event['kind']}) hits at ${[node, ...where].join(', ')}`)
  }

  #tellTruncation({ node, ...event }: ClusterEvent): void {
    if (!this.#topics.has(String(event['topic']))) return
    this.#say(
      `${node} truncates ${event['topic']}-${event['partition']} from ${event['from']} to ${event['to']}: broker ${event['leader']}'s epoch ${event['epoch']} has no more`,
    )
  }

  #change(event: ClusterEvent): void {
    if (!this.#topics.has(String(event['topic']))) return
    this.#states.set(nameOf(event), event as unknown as PartitionState)
    this.#gather(event['elected'] ? 'election' : 'isr', event)
  }

  #gather(kind: string, event: ClusterEvent): void {
    const group = this.#gathered.get(kind)
    if (group) return void group.push(event)
    this.#gathered.set(kind, [event])
    setTimeout(() => {
      const events = this.#gathered.get(kind)!
      this.#gathered.delete(kind)
      if (kind === 'election') this.#tellElections(events)
      else this.#tellIsrs(events)
      this.#tellWhenAllAreFull()
    }, GATHER_MS)
  }

  #tellElections(events: readonly ClusterEvent[]): void {
    const first = events.find((e) => e['partition'] === 0) ?? events[0]!
    const others = events.length > 1 ? ` (and ${events.length - 1} more partitions)` : ''
    const unclean = first['unclean'] ? ' UNCLEANLY' : ''
    const who = Number(first['leader']) < 0 ? 'nobody' : `broker ${first['leader']}`
    this.#say(
      `${first.node} elects ${who}${unclean} for ${nameOf(first)}, leader epoch ${first['leaderEpoch']}, ISR ${list(first['isr'])}${others}`,
    )
    if (Number(first['leader']) >= 0) void this.#untilAcknowledged(first)
  }

  async #untilAcknowledged(event: ClusterEvent): Promise<void> {
    const topic = String(event['topic'])
    const isOver = () => this.#run.acknowledgedSince(topic, Number(event['partition']), event.t)
    while (this.#run.isUnderway && !isOver()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    this.#say(`the producer goes on: ${nameOf(event)} acknowledges again`)
  }

  #tellIsrs(events: readonly ClusterEvent[]): void {
    const last = events.at(-1)!
    const others = events.length > 1 ? ` (and ${events.length - 1} more changes)` : ''
    this.#say(`ISR of ${nameOf(last)} is ${list(last['isr'])}${others}; under-replicated partitions: ${this.underReplicated}`)
  }

  #tellWhenAllAreFull(): void {
    const count = this.underReplicated
    if (count === 0 && this.#underReplicated > 0) this.#say('under-replicated partitions: 0; every ISR is full again')
    this.#underReplicated = count
  }
}

function nameOf(event: ClusterEvent): string {
  return `${event['topic']}-${event['partition']}`
}

function list(ids: unknown): string {
  return `[${(ids as readonly number[]).join(', ')}]`
}
