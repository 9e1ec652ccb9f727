// One broker: what its parts share, how they come up, and how they stop. Everything happens on one event loop.
import {
  type ByteStream,
  type Clock,
  type Disk,
  type DiskError,
  type EdgeSink,
  type EventSink,
  type PeerTransport,
  type Random,
  Refusal,
} from '@faultline/base'
import {
  type BrokerEndpoint,
  clearedTopics,
  type ClusterImage,
  ResourceType,
  serverFlag,
  serverNumber,
  type StaticConfigs,
} from '@faultline/controller'
import type { ArmedFaults } from '@faultline/fault'
import { LogDirectory, TailBudget } from '@faultline/log'
import { decodeUuid, type MetadataRecord } from '@faultline/protocol'
import { HANDLERS } from './api/index.ts'
import type { ApiHandler, RequestContext } from './api/handler.ts'
import { AutoTopics } from './auto-topics.ts'
import { ClientConnection } from './connection/client-connection.ts'
import { ClientErrors } from './client-errors.ts'
import { ControllerChannel } from './controller-channel.ts'
import { GroupCoordination } from './coordinator/group-coordination.ts'
import { EdgeRecord } from './edge/edge-record.ts'
import { brokerVantage } from './fault/vantage.ts'
import { FetchSessions } from './fetch/fetch-sessions.ts'
import { Lifecycle } from './lifecycle.ts'
import { RequestMetrics } from './metrics/request-metrics.ts'
import { BrokerChannel } from './broker-channel.ts'
import { MetadataFollower } from './metadata-follower.ts'
import { ProducerIds } from './producer-ids.ts'
import { Replicas } from './replica/replicas.ts'
import { MarkerChannel } from './transaction/marker-channel.ts'
import { TransactionCoordination } from './transaction/transaction-coordination.ts'
import { TransactionVerifier } from './transaction/transaction-verifier.ts'

export interface BrokerOptions {
  readonly id: number
  readonly clusterId: string
  readonly controllers: readonly number[]
  readonly listeners: readonly BrokerEndpoint[]
  readonly rack: string
  readonly statics: StaticConfigs
  readonly dataDirectory: string
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly transport: PeerTransport
  readonly events: EventSink
  readonly faults: ArmedFaults
  /** This node must end, alone: over a mistake of ours, or a Refusal because its disk failed. */
  readonly onFatal: (error: Error) => void
}

/** Memory for the last appended bytes of all partitions: what followers and live consumers read without a disk. */
const TAIL_BYTES = 32 * 1024 * 1024

/** How long a controlled shutdown waits for others to take over. */
const SHUTDOWN_TIMEOUT_MS = 10_000

export class Broker {
  readonly id: number
  readonly clusterId: string
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly faults: ArmedFaults
  readonly statics: StaticConfigs
  readonly handlers: ReadonlyMap<number, ApiHandler> = new Map(HANDLERS.map((h) => [h.api.key, h]))
  readonly channel: ControllerChannel
  readonly logs: LogDirectory
  readonly dataDirectory: string
  readonly replicas: Replicas
  readonly groups: GroupCoordination
  readonly transactions: TransactionCoordination
  readonly transactionVerifier: TransactionVerifier
  readonly autoTopics: AutoTopics
  readonly producerIds: ProducerIds
  readonly fetchSessions: FetchSessions
  readonly requests = new RequestMetrics()
  readonly clientErrors: ClientErrors
  /** Counted since the start: connections ended over bytes that were no request, or over saying nothing; batches that were no good. */
  readonly metrics = { requests: 0, malformed: 0, idle: 0, refusedBatches: 0 }
  /** While there is one, every request of a client is noted. */
  edge: EdgeRecord | undefined
  readonly #o: BrokerOptions
  readonly #metadata: MetadataFollower
  readonly #lifecycle: Lifecycle
  readonly #connections = new Set<ClientConnection>()
  #caughtUp: () => void = () => {}
  #hasFailed = false
  #state: 'starting' | 'running' | 'stopping' = 'starting'

  constructor(options: BrokerOptions) {
    this.#o = options
    this.id = options.id
    this.clusterId = options.clusterId
    this.clock = options.clock
    this.random = options.random
    this.events = options.events
    this.faults = options.faults
    this.faults.vantage = brokerVantage(this)
    this.statics = options.statics
    this.dataDirectory = options.dataDirectory
    const { clock, transport, statics, events } = options
    this.clientErrors = new ClientErrors(clock, events, (id) => this.image.topicsById.get(id)?.name)
    this.channel = new ControllerChannel(transport, options.controllers, clock)
    this.logs = LogDirectory.open({
      disk: options.disk,
      clock,
      path: options.dataDirectory,
      clusterId: options.clusterId,
      nodeId: options.id,
      random: options.random,
      tailBudget: new TailBudget(TAIL_BYTES),
      onFailure: (error) => this.#diskFailed(error),
    })
    this.#metadata = new MetadataFollower({
      brokerId: options.id,
      transport,
      channel: this.channel,
      clock,
      onChange: (records, whole) => this.#onMetadata(records, whole),
    })
    this.channel.onActive = (controller) => this.#metadata.retarget(controller)
    this.#lifecycle = new Lifecycle({
      brokerId: options.id,
      clusterId: options.clusterId,
      incarnationId: decodeUuid(options.random.bytes(16)),
      listeners: options.listeners,
      rack: options.rack,
      directoryId: this.logs.directoryId,
      previousBrokerEpoch: this.logs.previousBrokerEpoch,
      statics,
      clock,
      channel: this.channel,
      events,
      metadataOffset: () => this.image.offset,
    })
    this.replicas = new Replicas({
      brokerId: options.id,
      brokerEpoch: () => this.#lifecycle.brokerEpoch,
      clock,
      events,
      faults: options.faults,
      transport,
      channel: this.channel,
      statics,
      logs: this.logs,
      onDiskError: (error) => this.#diskFailed(error),
      image: () => this.image,
      onLeadership: (partition, leads) => {
        this.groups.onLeadership(partition, leads)
        this.transactions.onLeadership(partition, leads)
      },
    })
    this.groups = new GroupCoordination({
      brokerId: this.id,
      clock,
      random: options.random,
      events,
      statics,
      image: () => this.image,
    })
    this.autoTopics = new AutoTopics(this.channel, statics)
    this.producerIds = new ProducerIds(this.channel, () => ({ brokerId: this.id, brokerEpoch: this.#lifecycle.brokerEpoch }))
    const image = () => this.image
    const brokers = new BrokerChannel({
      brokerId: options.id,
      transport,
      handlers: this.handlers,
      context: (version, clientId) => this.#peerContext(version, clientId),
    })
    this.transactionVerifier = new TransactionVerifier({ channel: brokers, image })
    this.transactions = new TransactionCoordination({
      clock,
      random: options.random,
      events,
      statics,
      image,
      markers: new MarkerChannel(brokers, image),
      producerIds: this.producerIds,
    })
    this.fetchSessions = new FetchSessions(
      clock,
      options.random,
      serverNumber(statics, 'max.incremental.fetch.session.cache.slots'),
    )
  }

  get image(): ClusterImage {
    return this.#metadata.image
  }

  get brokerEpoch(): number {
    return this.#lifecycle.brokerEpoch
  }

  get fenced(): boolean {
    return this.#lifecycle.fenced
  }

  get state(): string {
    return this.#state
  }

  /** Registers, catches up with the metadata log, and is unfenced. Only then clients may come in. */
  async start(): Promise<void> {
    const caughtUp = new Promise<void>((resolve) => (this.#caughtUp = resolve))
    await this.#lifecycle.register()
    this.#metadata.start()
    await caughtUp
    await this.#lifecycle.unfence()
    this.#startCleaner()
    this.#state = 'running'
    this.events.emit('broker.running', { epoch: this.brokerEpoch })
  }

  #startCleaner(): void {
    if (!serverFlag(this.statics, 'log.cleaner.enable')) return
    this.logs.startCleaner({
      backoffMs: serverNumber(this.statics, 'log.cleaner.backoff.ms'),
      mapLimitBytes: serverNumber(this.statics, 'log.cleaner.dedupe.buffer.size'),
    })
  }

  /** Controlled shutdown: leaderships go elsewhere first, then the logs are closed clean. */
  async stop(): Promise<void> {
    this.#state = 'stopping'
    if (this.#lifecycle.brokerEpoch >= 0) await this.#lifecycle.shutDown(SHUTDOWN_TIMEOUT_MS)
    this.halt()
    this.logs.closeClean(this.#lifecycle.brokerEpoch)
  }

  /** Ends all activity at once and leaves the disk as it is. */
  halt(): void {
    this.#lifecycle.stop()
    this.#metadata.stop()
    this.groups.stop()
    this.transactions.stop()
    this.replicas.stop()
    for (const connection of [...this.#connections]) connection.end()
  }

  accept(stream: ByteStream, listener: string): void {
    const limits = {
      maxFrameBytes: serverNumber(this.statics, 'socket.request.max.bytes'),
      maxIdleMs: serverNumber(this.statics, 'connections.max.idle.ms'),
    }
    this.#connections.add(new ClientConnection(this, stream, listener, limits))
  }

  forget(connection: ClientConnection): void {
    this.#connections.delete(connection)
    this.clientsChanged()
  }

  /** Somebody has come and said who it is, or gone. */
  clientsChanged(): void {
    if (this.faults.conditionsArmed) this.faults.onChanged('client')
  }

  connectionsOf(clientId: string): number {
    let count = 0
    for (const connection of this.#connections) if (connection.clientId === clientId) count++
    return count
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** From now on. */
  record(sink: EdgeSink): void {
    this.edge ??= new EdgeRecord(sink, (id) => this.image.topicsById.get(id)?.name)
  }

  fail(error: Error): void {
    this.#o.onFatal(error)
  }

  /** Another broker asks, not a client. */
  #peerContext(version: number, clientId: string): RequestContext {
    return {
      broker: this,
      version,
      clientId,
      remote: clientId,
      listener: '',
      edge: undefined,
      onClose: () => {},
      letNextIn: () => {},
    }
  }

  /** Kafka halts when its last data folder has failed, so that others take over; we have one. */
  #diskFailed({ code, path, message }: DiskError): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.events.emit('log.offline', { path, reason: message })
    const advice = 'Start the broker again when its disk is well: it then catches up with the others.'
    this.fail(new Refusal(code === 'ENOSPC' ? 'DISK_FULL' : 'FOLDER_UNUSABLE', `The data folder failed: ${message}.`, advice))
  }

  hasPartition(topic: string, index: number): boolean {
    return this.image.topicsByName.get(topic)?.partitions[index] !== undefined
  }

  /** Who leads a partition, as far as is known here (KIP-951). */
  leaderOf(topic: string, index: number): { leaderId: number; leaderEpoch: number } | undefined {
    const state = this.replicas.byName(topic, index) ?? this.image.topicsByName.get(topic)?.partitions[index]
    return state && { leaderId: state.leader, leaderEpoch: state.leaderEpoch }
  }

  /** Where clients of `listener` find these brokers. */
  endpointsOf(ids: Iterable<number>, listener: string): { nodeId: number; host: string; port: number; rack: string | null }[] {
    return [...ids].flatMap((id) => {
      const broker = this.image.brokers.get(id)
      const endpoint = broker?.listeners.find((l) => l.name === listener)
      return broker && endpoint ? [{ nodeId: id, host: endpoint.host, port: endpoint.port, rack: broker.rack }] : []
    })
  }

  #onMetadata(records: readonly MetadataRecord[], whole: boolean): void {
    const touched = touchedBy(records, this.image)
    // Before it has caught up with its own registration, what the log says of this broker was said of an earlier incarnation.
    if (this.#state === 'starting' && this.image.offset < this.#lifecycle.brokerEpoch) return
    const first = this.#state === 'starting' && !this.#applied
    if (whole || first) this.replicas.applyAll()
    else this.replicas.applyTopics(touched.topics)
    this.#applied = true
    this.replicas.applyConfigs(touched.configs === 'all' ? this.image.topicsByName.keys() : touched.configs)
    if (touched.brokers) this.replicas.applyBrokers()
    this.groups.onMetadata(records, whole || first)
    this.#caughtUp()
  }

  #applied = false
}

interface Touched {
  readonly topics: ReadonlySet<string>
  /** Topics whose configurations may have changed; a broker's configuration is a default for all. */
  readonly configs: ReadonlySet<string> | 'all'
  readonly brokers: boolean
}

function touchedBy(records: readonly MetadataRecord[], image: ClusterImage): Touched {
  const topics = new Set<string>()
  const configs = new Set<string>()
  let all = false
  let brokers = false
  for (const record of records) {
    switch (record.type) {
      case 'PartitionRecord':
      case 'PartitionChangeRecord':
      case 'RemoveTopicRecord':
        topics.add(record.value.topicId)
        break
      case 'ClearElrRecord':
        for (const { id } of clearedTopics(image, record.value)) topics.add(id)
        break
      case 'ConfigRecord':
        if (record.value.resourceType === ResourceType.TOPIC) configs.add(record.value.resourceName)
        else if (record.value.resourceType === ResourceType.BROKER) all = true
        break
      case 'RegisterBrokerRecord':
      case 'BrokerRegistrationChangeRecord':
      case 'UnregisterBrokerRecord':
        brokers = true
        break
      default:
    }
  }
  return { topics, configs: all ? 'all' : configs, brokers }
}
