// A whole cluster in one process: the unchanged controllers and brokers on virtual time, network and disks, all from one seed.
import { createHash, type Hash } from 'node:crypto'
import { assert, type EventFields, type EventSink, Prng, Refusal } from '@faultline/base'
import { Broker } from '@faultline/broker'
import { ArmedFaults, FaultyClock, FaultyDisk, StorageFaults, type StorageMachine, watchedBy } from '@faultline/fault'
import { ClusterClient } from '@faultline/client'
import { Controller, type ClusterImage, type StaticConfigs } from '@faultline/controller'
import { VirtualDisk } from './disk/virtual-disk.ts'
import { ClientNetwork } from './network/client-network.ts'
import { PeerNetwork } from './network/peer-network.ts'
import { RaftPlatter, VirtualRaftStorage } from './raft/virtual-storage.ts'
import { Scheduler, VirtualClock } from './scheduler.ts'

export interface WorldOptions {
  readonly seed: number
  readonly brokers: number
  readonly controllers: number
  readonly settings: Readonly<Record<string, string>>
}

export interface WorldEvent {
  readonly t: number
  readonly node: string
  readonly event: string
  readonly fields: EventFields
}

const CLUSTER_ID = 'c2ltdWxhdGVkLWNsdXN0ZQ'
const FIRST_CONTROLLER = 101
const FIRST_PORT = 9092
const LATENCY = { minMs: 0.2, maxMs: 3 }

/** A run that goes on for this many events without an end is a livelock. */
const MAX_EVENTS = 5_000_000

const START_MS = 30_000

/** Settings under which the death of a broker is noticed in a second or two, for scenarios that wait for it. */
export const QUICK_FAILURES = {
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1500',
  'replica.lag.time.max.ms': '3000',
  'replica.fetch.backoff.ms': '100',
}

interface Machine {
  readonly id: number
  readonly disk: VirtualDisk
  readonly platter: RaftPlatter
  clock: VirtualClock | undefined
  starts: number
}

export class World {
  readonly scheduler = new Scheduler()
  readonly events: WorldEvent[] = []
  readonly peers: PeerNetwork
  readonly clients: ClientNetwork
  readonly random: Prng
  readonly #o: WorldOptions
  readonly #digest: Hash = createHash('sha256')
  readonly #machines = new Map<number, Machine>()
  readonly #brokers = new Map<number, Broker>()
  readonly #controllers = new Map<number, Controller>()
  #failure: Error | undefined

  constructor(options: WorldOptions) {
    this.#o = options
    const random = new Prng(options.seed)
    this.random = random.fork('schedule')
    this.peers = new PeerNetwork(this.scheduler, random.fork('peers'), LATENCY)
    this.clients = new ClientNetwork(this.scheduler, random.fork('clients'), LATENCY)
    for (const id of [...this.controllerIds, ...this.brokerIds]) {
      this.#machines.set(id, { id, disk: new VirtualDisk(), platter: new RaftPlatter(), clock: undefined, starts: 0 })
    }
  }

  get brokerIds(): number[] {
    return Array.from({ length: this.#o.brokers }, (_, i) => i + 1)
  }

  get controllerIds(): number[] {
    return Array.from({ length: this.#o.controllers }, (_, i) => FIRST_CONTROLLER + i)
  }

  /** Starts every node. Resolves when all brokers serve. */
  async start(): Promise<void> {
    for (const id of this.controllerIds) this.startController(id)
    for (const id of this.brokerIds) this.startBroker(id)
    await this.runUntil('brokers', () => this.brokerIds.every((id) => this.broker(id)?.state === 'running'), START_MS)
  }

  startController(id: number): void {
    const { machine, clock, random } = this.#boot(id)
    const name = `controller:${id}`
    const controller = new Controller({
      id,
      voters: this.controllerIds,
      clusterId: CLUSTER_ID,
      statics: this.#statics,
      timing: { heartbeatMs: 60, electionTimeoutMs: 500, checkQuorumMs: 750 },
      clock,
      random,
      transport: this.peers.attach(id),
      storage: new VirtualRaftStorage(machine.platter, clock, random),
      events: this.#sink(name),
      onFatal: (error) => this.#fail(name, error),
    })
    this.#controllers.set(id, controller)
    controller.start().catch((error: Error) => this.#fail(name, error))
  }

  startBroker(id: number): void {
    const { machine, clock, random } = this.#boot(id)
    const name = `broker:${id}`
    const port = FIRST_PORT + id - 1
    const events = this.#sink(name)
    const faults = new ArmedFaults(events)
    const faultyClock = new FaultyClock(clock, faults)
    faults.onChange = () => faultyClock.adapt()
    faults.onNotice = () => faultyClock.adapt()
    const broker = new Broker({
      id,
      clusterId: CLUSTER_ID,
      controllers: this.controllerIds,
      listeners: [{ name: 'PLAINTEXT', host: 'sim', port }],
      rack: '',
      statics: this.#statics,
      dataDirectory: 'data',
      clock: faultyClock,
      random,
      disk: new FaultyDisk(machine.disk, new StorageFaults(faults, this.#storageMachine(id)), faultyClock),
      transport: this.peers.attach(id),
      events: watchedBy(events, faults),
      faults,
      onFatal: (error) => (error instanceof Refusal ? this.#end(id, error) : this.#fail(name, error)),
    })
    this.#brokers.set(id, broker)
    broker.start().then(
      () => this.clients.listen(port, (stream) => broker.accept(stream, 'PLAINTEXT')),
      (error: Error) => this.#fail(name, error),
    )
  }

  #storageMachine(id: number): StorageMachine {
    const crash = () => {
      this.crash(id)
      throw new Error(`node ${id} crashed`)
    }
    return { crash }
  }

  disk(id: number): VirtualDisk {
    return this.#machines.get(id)!.disk
  }

  /** The node gives up, and says why: its process ends when the step that it is in is done. */
  #end(id: number, { code, message }: Refusal): void {
    this.#record(`node:${id}`, 'refused', { code, message })
    const { clock } = this.#machines.get(id)!
    this.scheduler.at(this.scheduler.now, () => {
      if (clock && this.#machines.get(id)!.clock === clock) this.crash(id)
    })
  }

  /** SIGKILL: the process ends between two events; the page cache survives it. */
  crash(id: number): void {
    const machine = this.#machines.get(id)!
    assert(machine.clock, `node ${id} does not run`)
    this.#record(`node:${id}`, 'crash', {})
    machine.clock.stop()
    machine.clock = undefined
    this.peers.detach(id)
    machine.disk.crashProcess()
    if (this.#brokers.delete(id)) this.clients.close(FIRST_PORT + id - 1)
    this.#controllers.delete(id)
  }

  runs(id: number): boolean {
    return this.#machines.get(id)?.clock !== undefined
  }

  broker(id: number): Broker | undefined {
    return this.#brokers.get(id)
  }

  get activeController(): Controller | undefined {
    return [...this.#controllers.values()].find((c) => c.active)
  }

  /** The metadata as the active controller has it. */
  get image(): ClusterImage | undefined {
    return this.activeController?.status().image
  }

  client(name: string): ClusterClient {
    const bootstrap = this.brokerIds.map((id) => ({ host: 'sim', port: FIRST_PORT + id - 1 }))
    return new ClusterClient({ bootstrap, clientId: name, dialer: this.clients, clock: new VirtualClock(this.scheduler) })
  }

  /** Runs until the condition holds. Throws what failed inside, or that it did not come about in `limitMs` of virtual time. */
  async runUntil(what: string, condition: () => boolean, limitMs: number): Promise<void> {
    const deadline = this.scheduler.now + limitMs
    while (!condition()) {
      if (this.#failure) throw this.#failure
      if (!this.scheduler.step()) throw new Error(`nothing happens any more, waiting for ${what}`)
      if (this.scheduler.now > deadline) throw new Error(`no ${what} within ${limitMs} ms of virtual time`)
      assert(this.scheduler.executed < MAX_EVENTS, `${MAX_EVENTS} events, waiting for ${what}`)
      await settled()
    }
    if (this.#failure) throw this.#failure
  }

  /** Everything that happened, in order, as one value: two runs of a seed give the same. */
  digest(): string {
    return this.#digest.copy().digest('hex').slice(0, 16)
  }

  #boot(id: number): { machine: Machine; clock: VirtualClock; random: Prng } {
    const machine = this.#machines.get(id)!
    assert(!machine.clock, `node ${id} runs already`)
    const clock = new VirtualClock(this.scheduler)
    machine.clock = clock
    machine.starts++
    this.#record(`node:${id}`, 'start', { starts: machine.starts })
    return { machine, clock, random: new Prng(this.#o.seed).fork(`node ${id} start ${machine.starts}`) }
  }

  get #statics(): StaticConfigs {
    return new Map(Object.entries(this.#o.settings))
  }

  #sink(node: string): EventSink {
    return { emit: (name, fields) => this.#record(node, name, fields) }
  }

  #record(node: string, event: string, fields: EventFields): void {
    const entry = { t: this.scheduler.now, node, event, fields }
    this.events.push(entry)
    this.#digest.update(JSON.stringify(entry))
  }

  #fail(node: string, error: Error): void {
    this.#failure ??= new Error(`${node}: ${error.message}`, { cause: error })
  }
}

/** Promises that the last event settled have run what waits for them: an immediate comes after all of them. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
