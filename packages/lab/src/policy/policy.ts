// What Kafka allows under what an experiment does: where an anomaly is no mistake of the cluster, this has the reason. It never makes a finding go
// away: who expects none is told of it, with the reason.
import type { Left } from '../checkers/facts.ts'
import type { Experiment, Workload } from '../experiment/schema.ts'
import type { Send } from '../history/history.ts'
import { PowerLosses } from './power-losses.ts'
import { setting } from './setting.ts'

const NOT_IDEMPOTENT = 'the producer is not idempotent: what it sends again is written again'
const INTERNAL = ['__consumer_offsets', '__transaction_state']

export class Policy {
  readonly #experiment: Experiment
  readonly #uncleanAt = new Set<string>()
  readonly #toldOfElections: boolean
  readonly #power: PowerLosses

  constructor(left: Left) {
    this.#experiment = left.experiment
    this.#power = new PowerLosses(left)
    this.#toldOfElections = left.events.some((e) => e.event === 'partition.change')
    for (const e of left.events)
      if (e.event === 'partition.change' && e['unclean'] === true) this.#uncleanAt.add(`${e['topic']}-${e['partition']}`)
  }

  /** Why what was acknowledged in a partition may be gone, or replaced by something else. */
  loss(topic: string, partition: number): string | undefined {
    return this.#power.reason(topic, partition) ?? this.#unclean(topic, `${topic}-${partition}`)
  }

  /** Why what was acknowledged to this producer may be gone. */
  lossOf({ process, topic, partition, seen }: Pick<Send, 'process' | 'topic' | 'partition' | 'seen'>): string | undefined {
    const workload = this.#workloadOf(process)
    const acks = seen ? seen.acks : workload?.kind === 'producer' && workload.acks !== 'all' ? workload.acks : -1
    if (acks !== -1) return `acks=${acks} is answered before the followers have it`
    return this.loss(topic, partition)
  }

  /** Why a producer's records may be there twice, or out of order. */
  repeats(process: string): string | undefined {
    const workload = this.#workloadOf(process)
    return workload?.kind === 'producer' && !workload.idempotent ? NOT_IDEMPOTENT : undefined
  }

  /** Why what a program sent may be there twice. */
  repeatsOf({ seen }: Send): string | undefined {
    return seen?.idempotent === false ? NOT_IDEMPOTENT : undefined
  }

  /** Why a reader may see what is not committed. */
  uncommitted(process: string): string | undefined {
    const workload = this.#workloadOf(process)
    return workload !== undefined && 'isolation' in workload && workload.isolation === 'read_uncommitted'
      ? 'the reader asked for isolation.level=read_uncommitted'
      : undefined
  }

  /** Why what a reader saw of aborted transactions proves nothing. */
  unproved(process: string): string | undefined {
    const kind = this.#workloadOf(process)?.kind
    return kind === 'group' || kind === 'transform'
      ? 'it was read with kafkajs, which errs where aborted transactions overlap'
      : undefined
  }

  /** Why nobody needs to have read all of a topic. */
  unread(topic: string): string | undefined {
    const kinds = this.#experiment.workload.flatMap((w) => ('topic' in w && w.topic === topic ? [w.kind] : []))
    return kinds.includes('mixed') && !kinds.includes('group') ? 'mixed reads by lot, and need not come to an end' : undefined
  }

  /** Why what groups or transactions had decided may be forgotten: it was in an internal topic that has lost something. */
  forgotten(): string | undefined {
    for (const at of this.#uncleanAt) {
      const topic = INTERNAL.find((t) => at.startsWith(`${t}-`))
      const reason = topic && this.#unclean(topic, at)
      if (reason) return reason
    }
    return this.#power.reasonIn(INTERNAL)
  }

  /** One that nobody had allowed is a mistake. Without a word from the controllers, what is allowed is taken for done. */
  #unclean(topic: string, at: string): string | undefined {
    if (setting(this.#experiment, topic, 'unclean.leader.election.enable') !== 'true') return undefined
    if (this.#uncleanAt.has(at)) return `unclean.leader.election.enable=true, and ${at} had one`
    return this.#toldOfElections ? undefined : 'unclean.leader.election.enable=true'
  }

  /** Processes are named after their workload: producer-1, mixed-2.0, group-3/1. */
  #workloadOf(process: string): Workload | undefined {
    const number = /^[a-z]+-(\d+)/.exec(process)?.[1]
    return number === undefined ? undefined : this.#experiment.workload[Number(number) - 1]
  }
}
