// When the loss of power may cost what was acknowledged. Kafka acknowledges before it syncs (flush.messages has no bound by default), and relies on
// copies: so it does once min.insync.replicas members of an ISR have lost power, none of them having fetched again what it lost.
import type { ClusterEvent } from '@faultline/director'
import type { Left } from '../checkers/facts.ts'
import type { Experiment } from '../experiment/schema.ts'
import { setting } from './setting.ts'

interface Loss {
  /** In sync when they lost power, and not in sync again since. */
  readonly dark: Set<number>
  isr: readonly number[]
  /** As many as it takes were dark at once. */
  over: boolean
}

export class PowerLosses {
  readonly #experiment: Experiment
  readonly #partitions = new Map<string, Loss>()

  constructor({ experiment, events, faults }: Left) {
    this.#experiment = experiment
    const losing = faults.filter((f) => f.kind === 'lose-unsynced')
    if (losing.length === 0) return
    const spans = losing.map((f) => ({ nodes: f.nodes, ...spanOf(f.id, events) }))
    const inSpan = (name: string, t: number) => spans.some((s) => s.nodes.includes(name) && t >= s.from && t <= s.to)
    for (const e of events) {
      if (e.event === 'partition.change' || e.event === 'leader.begin') this.#isr(e)
      else if (e.event === 'process.exit' && e['how'] === 'SIGKILL' && inSpan(String(e['name']), e.t))
        this.#dark(String(e['name']))
    }
  }

  reason(topic: string, partition: number): string | undefined {
    if (!this.#partitions.get(`${topic}-${partition}`)?.over) return undefined
    return `${this.#minimum(topic)} in-sync replicas of ${topic}-${partition} lost power before they had fetched again, and Kafka acknowledges before it syncs`
  }

  reasonIn(topics: readonly string[]): string | undefined {
    for (const key of this.#partitions.keys()) {
      const topic = topics.find((t) => key.startsWith(`${t}-`))
      const reason = topic && this.reason(topic, Number(key.slice(topic.length + 1)))
      if (reason) return reason
    }
    return undefined
  }

  #isr(e: ClusterEvent): void {
    const isr = (e['isr'] ?? []) as number[]
    const key = `${e['topic']}-${e['partition']}`
    const loss = this.#partitions.get(key) ?? { dark: new Set<number>(), isr, over: false }
    // Who comes into the ISR has what the leader has.
    for (const id of isr) if (!loss.isr.includes(id)) loss.dark.delete(id)
    loss.isr = isr
    this.#partitions.set(key, loss)
  }

  #dark(node: string): void {
    const id = Number(node.split(':')[1])
    for (const [key, loss] of this.#partitions) {
      const topic = key.slice(0, key.lastIndexOf('-'))
      if (!loss.isr.includes(id) || this.#isSynced(topic)) continue
      loss.dark.add(id)
      if (loss.dark.size >= this.#minimum(topic)) loss.over = true
    }
  }

  #isSynced(topic: string): boolean {
    const messages =
      setting(this.#experiment, topic, 'flush.messages') ?? setting(this.#experiment, topic, 'log.flush.interval.messages')
    return messages === '1'
  }

  #minimum(topic: string): number {
    return Number(setting(this.#experiment, topic, 'min.insync.replicas') ?? 1)
  }
}

function spanOf(id: string, events: readonly ClusterEvent[]): { from: number; to: number } {
  const at = (name: string) => events.find((e) => e.event === name && e['fault'] === id)?.t
  return { from: at('fault.begin') ?? -Infinity, to: at('fault.end') ?? Infinity }
}
