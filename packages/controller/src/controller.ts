// One controller process: a voter of the metadata quorum. While it leads, it plans every change of metadata, watches the brokers' sessions
// and streams the committed log to them. Planning, proposing and replaying one change is one synchronous step.
import type { Clock, EventSink, PeerTransport, Random, Timer } from '@faultline/base'
import { Errors, MalformedError, type MetadataRecord } from '@faultline/protocol'
import { RaftDriver, type RaftStorage, type RaftTiming } from '@faultline/raft'
import { type BrokerHeartbeatRequest, call, type ForwardRequest, serve, serveStream } from '@faultline/rpc'
import type { QuorumView } from './api/describe-quorum.ts'
import { FORWARDED_APIS } from './api/forwarded.ts'
import { BrokerSessions } from './broker-sessions.ts'
import type { StaticConfigs } from './config/effective-configs.ts'
import { serverNumber } from './config/server-config.ts'
import { controlStateOf, isActive } from './image/broker-state.ts'
import type { PartitionState } from './image/partition-state.ts'
import { NO_LEADER_CHANGE } from './image/replay-topics.ts'
import { MetadataLog, NotController } from './metadata-log.ts'
import { MetadataPublisher } from './metadata-publisher.ts'
import { type ControllerView, ElectionCounts, isUnclean } from './metrics/controller-metrics.ts'
import { planAlterPartition } from './plan/alter-partition.ts'
import { planFencing, planHeartbeat, planRegistration } from './plan/brokers.ts'
import { PeriodicElections } from './periodic-elections.ts'
import { electPreferred, electUnclean } from './plan/leadership.ts'
import type { Plan, PlanContext } from './plan/plan.ts'

export interface ControllerOptions {
  readonly id: number
  readonly voters: readonly number[]
  readonly clusterId: string
  readonly statics: StaticConfigs
  readonly timing: RaftTiming
  readonly clock: Clock
  readonly random: Random
  readonly transport: PeerTransport
  readonly storage: RaftStorage
  readonly events: EventSink
  /** The node cannot go on (its disk failed, its log is damaged). */
  readonly onFatal: (error: Error) => void
}

/** Features that a new cluster finalizes: what this product serves, at Kafka's levels. */
const BOOTSTRAP_FEATURES: readonly (readonly [string, number])[] = [
  ['metadata.version', 30],
  ['eligible.leader.replicas.version', 1],
  ['transaction.version', 2],
  ['group.version', 1],
]

/** Kafka hands out producer ids in blocks of this size. */
const PRODUCER_ID_BLOCK = 1000

/** Raft messages are lossy; this only frees the transport's resources. */
const RAFT_MESSAGE_DEADLINE_MS = 2000

/** How long a controller that stops waits for another to take over. */
const RESIGN_MS = 500
const RESIGN_CHECK_MS = 10

export class Controller {
  readonly #o: ControllerOptions
  readonly #log: MetadataLog
  readonly #raft: RaftDriver
  readonly #sessions: BrokerSessions
  readonly #publisher: MetadataPublisher
  readonly #elections = new ElectionCounts()
  readonly #periodicElections: PeriodicElections
  #sessionTimer: Timer | undefined

  constructor(options: ControllerOptions) {
    this.#o = options
    this.#sessions = new BrokerSessions(options.clock, serverNumber(options.statics, 'broker.session.timeout.ms'))
    this.#log = new MetadataLog(
      {
        onActive: () => this.#onActive(),
        onInactive: () => this.#onInactive(),
        onCommitted: (entries) => this.#publisher.publish(entries),
        onAppended: (records, before) => this.#tell(records, before),
      },
      serverNumber(options.statics, 'metadata.log.max.record.bytes.between.snapshots'),
    )
    this.#raft = new RaftDriver({
      id: options.id,
      voters: options.voters,
      clock: options.clock,
      random: options.random,
      storage: options.storage,
      timing: options.timing,
      send: (to, message) => this.#sendRaft(to, message),
      onCommitted: (entries) => this.#log.onCommitted(entries),
      onSnapshot: (snapshot) => this.#log.onSnapshot(snapshot),
      onRole: ({ role, term, leader }) => {
        options.events.emit('raft.role', { role, term, leader })
        this.#log.onRole(role, term)
      },
      onFatal: options.onFatal,
    })
    this.#log.attach(this.#raft)
    this.#publisher = new MetadataPublisher(this.#raft)
    const elect = (planner: typeof electPreferred) => (limit: number) => {
      const records = planner(this.#context(), limit)
      this.#commit(records)
      return records.length
    }
    this.#periodicElections = new PeriodicElections(options.clock, options.statics, elect(electPreferred), elect(electUnclean))
    this.#serve()
  }

  async start(): Promise<void> {
    await this.#raft.start()
  }

  stop(): void {
    this.#onInactive()
    this.#raft.stop()
  }

  get active(): boolean {
    return this.#log.active
  }

  status(): ControllerView {
    return { raft: this.#raft.status(), active: this.#log.active, image: this.#log.image, elections: this.#elections }
  }

  /** Hands leadership to another voter, if there is one that can take it soon: brokers then wait for no election timeout. */
  async resign(): Promise<void> {
    const deadline = this.#o.clock.mono() + RESIGN_MS
    const leads = () => this.#raft.status().role === 'leader'
    if (leads() && this.#o.voters.length > 1) this.#raft.transferLeadership()
    while (leads() && this.#o.voters.length > 1 && this.#o.clock.mono() < deadline) {
      await new Promise<void>((resolve) => this.#o.clock.after(RESIGN_CHECK_MS, resolve))
    }
  }

  #serve(): void {
    const { transport } = this.#o
    serve(transport, 'raftMessage', ({ from, message }) => {
      this.#raft.receive(from, message)
      return {}
    })
    serve(transport, 'registerBroker', (request) =>
      this.#answer(
        (context) => planRegistration(context, this.#o.clusterId, request),
        { error: Errors.NOT_CONTROLLER, brokerEpoch: -1 },
        ({ error }) => error === Errors.NONE && this.#sessions.touch(request.brokerId, -1),
      ),
    )
    serve(transport, 'brokerHeartbeat', (request) => this.#heartbeat(request))
    serve(transport, 'alterPartition', (request) =>
      this.#answer((context) => planAlterPartition(context, request), { error: Errors.NOT_CONTROLLER, partitions: [] }),
    )
    serve(transport, 'allocateProducerIds', ({ brokerId, brokerEpoch }) =>
      this.#answer((context) => planProducerIds(context, brokerId, brokerEpoch), {
        error: Errors.NOT_CONTROLLER,
        firstProducerId: -1,
        count: 0,
      }),
    )
    serve(transport, 'forward', (request) => this.#forward(request))
    serveStream(transport, 'followMetadata', (stream) => this.#publisher.follow(stream, () => this.#log.active))
  }

  /** Plans, proposes and replays in one step; answers at commit. `planned` runs in that same step. */
  async #answer<R extends { error: number }>(
    planner: (context: PlanContext) => Plan<R>,
    notController: R,
    planned: (response: R) => unknown = () => {},
  ): Promise<R & { leader: number }> {
    const leader = () => this.#raft.status().leader
    try {
      if (!this.#log.active) return { ...notController, leader: leader() }
      const plan = planner(this.#context())
      planned(plan.response)
      await (plan.records.length > 0 ? this.#log.append(plan.records) : this.#log.settled())
      return { ...plan.response, leader: leader() }
    } catch (error) {
      if (error instanceof NotController) return { ...notController, leader: leader() }
      throw error
    }
  }

  #heartbeat(request: BrokerHeartbeatRequest) {
    const refused = { error: Errors.NOT_CONTROLLER, isCaughtUp: false, isFenced: false, shouldShutDown: false }
    const others = () =>
      [...this.#log.image.brokers.values()].filter((b) => b.id !== request.brokerId && isActive(b)).map((b) => b.id)
    const planner = (context: PlanContext) =>
      planHeartbeat(context, request, this.#sessions.shutdownSeen(request.brokerId, others()))
    const offset = this.#log.active ? this.#log.nextOffset : -1
    return this.#answer(planner, refused, ({ error, shouldShutDown }) => {
      if (error !== Errors.NONE) return
      if (shouldShutDown) return this.#sessions.remove(request.brokerId)
      this.#sessions.touch(request.brokerId, request.metadataOffset)
      const stopping = this.#log.image.brokers.get(request.brokerId)?.inControlledShutdown
      if (request.wantShutDown && !stopping) this.#sessions.beginShutdown(request.brokerId, offset)
      this.#scheduleSessionCheck()
    })
  }

  async #forward(request: ForwardRequest): Promise<{ error: number; leader: number; body: Uint8Array }> {
    const api = FORWARDED_APIS.get(request.apiKey)
    const none = new Uint8Array(0)
    if (!api) return { error: Errors.UNSUPPORTED_VERSION, leader: -1, body: none }
    const planner = (context: PlanContext) => {
      const { records, response } = api.plan(context, request.body, request.apiVersion, () => this.#quorum())
      return { records, response: { error: Errors.NONE as number, body: response } }
    }
    try {
      return await this.#answer(planner, { error: Errors.NOT_CONTROLLER as number, body: none })
    } catch (error) {
      if (error instanceof MalformedError) return { error: Errors.INVALID_REQUEST, leader: -1, body: none }
      throw error
    }
  }

  #quorum(): QuorumView {
    return { raft: this.#raft.status(), observers: this.#sessions.all(), now: this.#o.clock.wall() }
  }

  #context(): PlanContext {
    return {
      image: this.#log.image,
      statics: this.#o.statics,
      random: this.#o.random,
      nextOffset: this.#log.nextOffset,
      hasSession: (broker) => this.#sessions.hasSession(broker),
    }
  }

  #sendRaft(to: number, message: Uint8Array): void {
    call(this.#o.transport, to, 'raftMessage', { from: this.#o.id, message }, RAFT_MESSAGE_DEADLINE_MS).catch(() => {})
  }

  #onActive(): void {
    const { image } = this.#log
    this.#o.events.emit('controller.active', { id: this.#o.id, term: this.#raft.status().term, offset: image.offset })
    this.#sessions.reset([...image.brokers.values()].filter((b) => !b.fenced).map((b) => b.id))
    if (image.features.size === 0) {
      this.#commit(
        BOOTSTRAP_FEATURES.map(([name, featureLevel]) => ({ type: 'FeatureLevelRecord', value: { name, featureLevel } })),
      )
    }
    this.#scheduleSessionCheck()
    this.#periodicElections.start()
  }

  #onInactive(): void {
    this.#sessionTimer?.cancel()
    this.#periodicElections.stop()
    this.#publisher.closeAll()
  }

  /** A change that nobody waits for; if leadership is lost, the next active controller finds the same reason for it again. */
  #commit(records: readonly MetadataRecord[]): void {
    if (records.length > 0) this.#log.append(records).catch(() => {})
  }

  #scheduleSessionCheck(): void {
    this.#sessionTimer?.cancel()
    const delay = this.#sessions.nextExpiry()
    if (delay === undefined || !this.#log.active) return
    this.#sessionTimer = this.#o.clock.after(delay, () => this.#fenceExpired())
  }

  /** One broker at a time, as Kafka does: the next plan sees what this one left. */
  #fenceExpired(): void {
    for (const broker of this.#sessions.expired()) {
      this.#sessions.remove(broker)
      const records = planFencing(this.#context(), broker)
      if (records.length > 0) this.#o.events.emit('broker.fenced', { broker })
      this.#commit(records)
    }
    this.#scheduleSessionCheck()
  }

  /** What has changed of it, as its record says, and how it stands. */
  #tellBroker(broker: number, fenced: number, inControlledShutdown: number): void {
    const state = controlStateOf(this.#log.image.brokers.get(broker)!)
    this.#o.events.emit('broker.change', { broker, fenced, inControlledShutdown, state })
  }

  /** The story of elections and ISRs, for whoever watches. */
  #tell(records: readonly MetadataRecord[], before: readonly (PartitionState | undefined)[]): void {
    for (const [i, record] of records.entries()) {
      if (record.type === 'PartitionChangeRecord') {
        const topic = this.#log.image.topicsById.get(record.value.topicId)
        const state = topic?.partitions[record.value.partitionId]
        const old = before[i]
        if (!topic || !state || !old) continue
        this.#elections.note(record.value, old)
        this.#o.events.emit('partition.change', {
          topic: topic.name,
          partition: state.partition,
          leader: state.leader,
          leaderEpoch: state.leaderEpoch,
          isr: state.isr,
          elr: state.elr,
          replicas: state.replicas,
          elected: record.value.leader !== NO_LEADER_CHANGE,
          ...(isUnclean(record.value, old) ? { unclean: true } : {}),
        })
      } else if (record.type === 'BrokerRegistrationChangeRecord') {
        const { brokerId, fenced, inControlledShutdown } = record.value
        this.#tellBroker(brokerId, fenced, inControlledShutdown)
      } else if (record.type === 'RegisterBrokerRecord') {
        const { brokerId, brokerEpoch } = record.value
        this.#o.events.emit('broker.registered', { broker: brokerId, epoch: brokerEpoch })
        this.#tellBroker(brokerId, 1, 0)
      }
    }
  }
}

function planProducerIds(context: PlanContext, brokerId: number, brokerEpoch: number) {
  if (context.image.brokers.get(brokerId)?.epoch !== brokerEpoch) {
    return { records: [], response: { error: Errors.STALE_BROKER_EPOCH as number, firstProducerId: -1, count: 0 } }
  }
  const first = context.image.nextProducerId
  const record: MetadataRecord = {
    type: 'ProducerIdsRecord',
    value: { brokerId, brokerEpoch, nextProducerId: first + PRODUCER_ID_BLOCK },
  }
  return { records: [record], response: { error: Errors.NONE as number, firstProducerId: first, count: PRODUCER_ID_BLOCK } }
}
