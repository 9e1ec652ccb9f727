// One run of an experiment: its cluster, its load, the steady state, the timeline, the recovery, and what is there at the end.
import { Prng, Refusal } from '@faultline/base'
import type { ClusterClient } from '@faultline/client'
import type { ClusterEvent } from '@faultline/director'
import { Kafka, logLevel } from 'kafkajs'
import { DEEDS, type Experiment, hasProgram, type Step } from '../experiment/schema.ts'
import type { Evidence } from '../expectations/index.ts'
import { History, type Send } from '../history/history.ts'
import { type Copy, type RunningWorkload, startWorkload } from '../workloads/index.ts'
import { clientIdOf } from '../workloads/client-ids.ts'
import { ClusterWatch } from './cluster-watch.ts'
import { endsOf, readEverything } from './final-read.ts'
import { type GroupSample, GroupWatch, lagIn } from './group-watch.ts'
import { lastLook } from './last-look.ts'
import { observerOf } from './observer.ts'
import { Programs } from './programs.ts'
import { pause, until } from './until.ts'
import type { RunningWorld } from '../worlds/world.ts'

export interface RunOptions {
  readonly experiment: Experiment
  readonly startWorld: (experiment: Experiment) => Promise<RunningWorld>
  /** Folder for what programs of the load write. */
  readonly logs: string
  /** File for what brokers note of clients, where a program is part of the load. */
  readonly edge: string
  /** Nothing is done to the cluster: faults only count what they would have hit. */
  readonly disarmed: boolean
  /** Of all that is drawn by lot. */
  readonly seed: number
  /** What happens, in words, as it happens. */
  readonly tell: (what: string) => void
  /** Everything that the cluster tells, as it comes. */
  readonly hear: (event: ClusterEvent) => void
  /** Everything is still there. */
  readonly keep: (world: RunningWorld) => Promise<void>
}

const FLOW_LIMIT_MS = 30_000
/** At least, for ISRs to be full again. */
const ISR_LIMIT_MS = 30_000
const DRAIN_LIMIT_MS = 30_000
/** Of the experiment's topics together, for the memory that judging them takes. */
const MOST_RECORDS = 1_000_000

type StepTaken = Evidence['steps'][number]

export class Run {
  readonly #o: RunOptions
  readonly #history = new History()
  readonly #events: ClusterEvent[] = []
  readonly #steps: StepTaken[] = []
  readonly #faults = new Map<string, string>()
  readonly #died: string[] = []
  readonly #listening = new AbortController()
  #world: Promise<RunningWorld> | undefined
  #observer: ClusterClient | undefined
  #watch: GroupWatch | undefined
  #cluster: ClusterWatch | undefined
  #programs: Programs | undefined
  #workloads: RunningWorkload[] = []
  #ended: Promise<void> | undefined
  #brokenAt: number | undefined
  #isOver = false

  constructor(options: RunOptions) {
    this.#o = options
  }

  /** From the first step until the load ends. */
  get isUnderway(): boolean {
    return this.#brokenAt !== undefined && !this.#isOver
  }

  get counts(): { readonly acknowledged: number; readonly read: number } {
    return { acknowledged: this.#history.acknowledged.length, read: this.#history.reads.length }
  }

  /** A record that was sent after `time`. */
  acknowledgedSince(topic: string, partition: number, time: number): boolean {
    const isOne = (s: Send) => s.outcome === 'ok' && s.topic === topic && s.partition === partition && s.began > time
    return this.#history.sends.some(isOne)
  }

  /** Rejects with Refusal when it could not be run to its end. */
  async play(): Promise<Evidence> {
    try {
      return await this.#play()
    } finally {
      await this.end()
    }
  }

  /** At any time, and more than once. */
  end(): Promise<void> {
    this.#ended ??= (async () => {
      this.#listening.abort()
      this.#programs?.stop()
      await Promise.all(this.#workloads.map((w) => w.stop()))
      await Promise.all([this.#watch?.stop(), this.#cluster?.stop()])
      this.#observer?.close()
      // One that is still starting has to be there before it can go.
      await (await this.#world?.catch(() => undefined))?.stop()
    })()
    return this.#ended
  }

  async #play(): Promise<Evidence> {
    const { experiment, tell } = this.#o
    const { brokers, controllers } = experiment.cluster
    tell(`starting ${count(controllers, 'controller')} and ${count(brokers, 'broker')}`)
    this.#world = this.#o.startWorld(experiment)
    const world = await this.#world
    if (hasProgram(experiment)) this.#programs = await Programs.watch(world, () => this.#copies)
    this.#observer = observerOf(world.bootstrap)
    this.#watch = new GroupWatch(this.#observer)
    const topics = experiment.topics.map((t) => t.name)
    this.#cluster = new ClusterWatch(this.#observer, topics)
    void this.#listen(world)
    await this.#createTopics(world)
    this.#watch.start()
    this.#cluster.start(await this.#observer.brokers())
    await this.#startWorkloads(world)
    await pause(experiment.steady)
    tell(`steady: ${this.#history.acknowledged.length} records acknowledged`)
    const brokenAt = Date.now()
    this.#brokenAt = brokenAt
    for (const step of [...experiment.timeline].sort((a, b) => a.at - b.at)) {
      await pause(brokenAt + step.at - Date.now())
      this.#checkAmount()
      await this.#take(step, world)
    }
    // A fault with a time to live has it.
    await pause(Math.max(0, ...experiment.timeline.map((s) => s.at + (s.fault?.ttl ?? 0))) + brokenAt - Date.now())
    return this.#recover(world, brokenAt)
  }

  async #recover(world: RunningWorld, brokenAt: number): Promise<Evidence> {
    const { experiment, tell, keep } = this.#o
    const faults = await world.cluster.faults()
    await this.#healEverything(world)
    const healedAt = Date.now()
    tell('everything is healed')
    const limit = Math.max(experiment.expect.isrFull ?? 0, ISR_LIMIT_MS)
    const isrFullAt = await until(limit, () => this.#isrsAreFull(world))
    tell(isrFullAt ? `every ISR is full, ${isrFullAt - healedAt} ms after that` : `after ${limit} ms an ISR is still not full`)
    await pause(healedAt + experiment.recover - Date.now())
    const endedAt = Date.now()
    this.#isOver = true
    this.#checkAmount()
    await Promise.all(this.#workloads.map((w) => w.stopProducing()))
    const copies = await this.#finished()
    const lag = await this.#drain()
    await Promise.all(this.#workloads.map((w) => w.stop()))
    await Promise.all([this.#watch!.stop(), this.#cluster!.stop()])
    const { final, replicas } = await lastLook(this.#observer!, experiment, this.#cluster!, this.#watch!)
    for (const read of final) this.#history.final.push(read)
    tell(`read ${final.length} records from the beginning, and the logs of ${replicas.length} replicas`)
    this.#died.push(...((await this.#programs?.addTo(this.#history, this.#o.edge, experiment)) ?? []))
    await keep(world)
    return {
      experiment,
      seed: this.#o.seed,
      history: this.#history,
      events: this.#events,
      faults,
      steps: this.#steps,
      died: this.#died,
      disarmed: this.#o.disarmed,
      brokenAt,
      healedAt,
      endedAt,
      isrFullAt,
      groups: this.#watch!.samples,
      views: this.#cluster!.views,
      replicas,
      copies,
      lag,
    }
  }

  async #listen({ cluster }: RunningWorld): Promise<void> {
    try {
      for await (const event of cluster.events(0, this.#listening.signal)) {
        this.#events.push(event)
        this.#o.hear(event)
      }
    } catch {
      // The run is over, or the cluster is.
    }
  }

  async #createTopics({ bootstrap }: RunningWorld): Promise<void> {
    const { topics } = this.#o.experiment
    const admin = new Kafka({ clientId: clientIdOf('admin'), brokers: bootstrap.split(','), logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      await admin.createTopics({
        waitForLeaders: true,
        topics: topics.map(({ name, partitions, replicas, config }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor: replicas,
          configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
        })),
      })
    } catch (error) {
      const { errors = [error] } = error as { errors?: Error[] }
      const why = errors.map((e) => (e as Error).message).join('; ')
      throw new Refusal(
        'BAD_EXPERIMENT',
        `topics ${topics.map((t) => t.name).join(', ')}: ${why}`,
        'see topics: in the experiment',
      )
    } finally {
      await admin.disconnect()
    }
  }

  async #startWorkloads({ bootstrap }: RunningWorld): Promise<void> {
    const { experiment, tell } = this.#o
    const partitions = new Map(experiment.topics.map((t) => [t.name, t.partitions]))
    const died = (reason: string) => {
      this.#died.push(reason)
      tell(reason)
    }
    // Each draws for itself: who starts first, or draws more, changes nothing for others.
    const random = (name: string) => new Prng(this.#o.seed).fork(name)
    const context = { bootstrap, history: this.#history, partitions, logs: this.#o.logs, random, died }
    for (const [i, workload] of experiment.workload.entries())
      this.#workloads.push(await startWorkload(workload, `${workload.kind}-${i + 1}`, context))
    tell(`load: ${this.#workloads.map((w) => w.name).join(', ')}`)
    const flow = await until(FLOW_LIMIT_MS, async () => this.#died.length > 0 || this.#hasEnded || (await this.#flows()))
    const advice = `what programs wrote is in ${this.#o.logs}`
    if (this.#died.length > 0) throw new Refusal('LOAD_FAILED', this.#died.join('; '), advice)
    if (this.#hasEnded) throw new Refusal('LOAD_FAILED', 'the program ended by itself before anything was broken', advice)
    if (flow) return
    const still = this.#workloads.filter((w) => !w.flows).map((w) => w.name)
    const what =
      still.length > 0
        ? `${still.join(', ')} did not get going within ${FLOW_LIMIT_MS} ms`
        : `the program runs, and has asked no broker for anything to read or to write within ${FLOW_LIMIT_MS} ms`
    throw new Refusal('LOAD_FAILED', what, advice)
  }

  /** Without an error, but there it is not. */
  get #hasEnded(): boolean {
    return this.#copies.some((c) => c.end.code === 0)
  }

  async #flows(): Promise<boolean> {
    if (!this.#workloads.every((w) => w.flows)) return false
    // One that judges itself begins when it likes.
    const isAsked = this.#programs !== undefined && this.#o.experiment.expect.finishes === undefined
    return !isAsked || this.#programs!.hasAsked()
  }

  /** More than can be read back and judged is said while it can be. */
  #checkAmount(): void {
    const records = this.#cluster!.records
    if (records <= MOST_RECORDS) return
    const what = `the topics have ${records} records, and ${MOST_RECORDS} at most can be judged`
    throw new Refusal('LOAD_FAILED', what, 'let whoever writes them write less, or end the experiment sooner')
  }

  async #take(step: Step, world: RunningWorld): Promise<void> {
    const deed = DEEDS.find((d) => step[d] !== undefined)!
    const at = Date.now()
    const what = await this.#do(step, deed, world)
    this.#steps.push({ at, what })
    this.#o.tell(what)
  }

  async #do(step: Step, deed: (typeof DEEDS)[number], { cluster }: RunningWorld): Promise<string> {
    const { disarmed } = this.#o
    // Load is made, or it is not there: there is nothing to observe.
    if (disarmed && step.fault?.family === 'load') return `load ${step.fault.kind} left out: the run is disarmed`
    if (deed === 'fault') {
      const chance = step.fault!.probability === undefined ? {} : { seed: this.#o.seed }
      const { id } = await cluster.addFault({ ...chance, ...step.fault!, ...(disarmed ? { observe: true } : {}) })
      if (step.id !== undefined) this.#faults.set(step.id, id)
      return `fault ${id}: ${step.fault!.family} ${step.fault!.kind}${step.fault!.node ? ` on ${step.fault!.node}` : ''}`
    }
    if (deed === 'heal') {
      if (step.heal === 'all') return `healed ${(await cluster.healAll()).healed} faults`
      const id = this.#faults.get(step.heal!)
      if (id === undefined) return `${step.heal} had not begun: nothing to heal`
      await cluster.heal(id)
      return `healed ${id} (${step.heal})`
    }
    if (disarmed) return `${deed} ${step[deed]} left out: the run is disarmed`
    if (step[deed]!.startsWith('app:')) {
      await this.#copy(step[deed]!).act(deed)
      return `${deed} ${step[deed]}`
    }
    const { name } = await cluster.act(deed, step[deed]!)
    return name === step[deed] ? `${deed} ${name}` : `${deed} ${name}, which is ${step[deed]}`
  }

  get #copies(): readonly Copy[] {
    return this.#workloads.flatMap((w) => w.copies ?? [])
  }

  #copy(name: string): Copy {
    const copy = this.#copies.find((c) => c.name === name)
    if (copy) return copy
    const there = this.#copies.map((c) => c.name).join(', ') || 'none: add a workload of the kind app'
    throw new Refusal('UNKNOWN_NODE', `there is no ${name}`, `there are ${there}`)
  }

  /** What a step has ended or stopped runs again, too. */
  async #healEverything({ cluster }: RunningWorld): Promise<void> {
    await cluster.healAll()
    for (const { name, state } of await cluster.nodes()) {
      if (state.startsWith('stopped')) await cluster.act('restart', name)
      else if (state === 'paused') await cluster.act('resume', name)
    }
    for (const copy of this.#copies) await copy.heal()
  }

  async #isrsAreFull({ cluster }: RunningWorld): Promise<boolean> {
    const wanted = new Set(this.#o.experiment.topics.map((t) => t.name))
    const nodes = await cluster.status().catch(() => [])
    // The controller counts a broker in that was killed, until its session is over or it comes back.
    if (!nodes.every((n) => n.role === 'controller' || n.state === 'running')) return false
    const active = nodes.find((n) => n.report?.state === 'active')
    const topics = (active?.report?.['topics'] ?? []) as { name: string; partitions: { isr: number[]; replicas: number[] }[] }[]
    const ours = topics.filter((t) => wanted.has(t.name))
    return ours.length === wanted.size && ours.every((t) => t.partitions.every((p) => p.isr.length === p.replicas.length))
  }

  /** Programs that are to end by themselves get the time that was given to them. */
  async #finished(): Promise<Evidence['copies']> {
    const { finishes } = this.#o.experiment.expect
    if (finishes === undefined) return []
    const copies = this.#copies
    this.#o.tell(`waiting for ${copies.map((c) => c.name).join(', ')} to end`)
    await until(finishes, async () => copies.every((c) => c.end.code !== null))
    return copies.map((c) => c.end)
  }

  /** Groups read to the end. What they then have not committed; undefined without groups. */
  async #drain(): Promise<number | undefined> {
    const ends = async () => endsOf(await readEverything(this.#observer!, this.#o.experiment.topics))
    // Who reads by lot has no reason to come to the end.
    const isReading = ({ group }: GroupSample) => !/^mixed-\d+(\.|$)/.test(group)
    const known = new Set(this.#watch!.samples.filter(isReading).map((s) => s.group))
    let lag: number | undefined
    await until(DRAIN_LIMIT_MS, async () => {
      const groups = (await this.#watch!.look().catch(() => [])).filter(isReading)
      lag = groups.length === 0 ? undefined : lagIn(groups, await ends())
      // A coordinator that does not answer has a group that may not be at the end.
      return lag === (known.size === 0 ? undefined : 0) && groups.length >= known.size
    })
    return lag
  }
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
