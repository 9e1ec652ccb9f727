// A group of drivers in one virtual world, watched after every event.
import { Prng } from '@faultline/base'
import { decodeMessage, type Entry, type Message, NotLeader, RaftDriver, type Snapshot } from '../../src/index.ts'
import { Checker, extend, Violation } from './checker.ts'
import type { Nature } from './nature.ts'
import { Network } from './network.ts'
import type { Planted } from './planted.ts'
import { type DiskBehaviour, DiskFailure, VirtualDisk, VirtualStorage } from './virtual-storage.ts'
import { World } from './world.ts'

interface Node {
  readonly driver: RaftDriver
  readonly storage: VirtualStorage
  alive: boolean
  /** Its disk has been read. */
  ready: boolean
  state: { index: number; term: number; digest: number }
  compactedAt: number
}

const STALL_MS = 3000
const SNAPSHOT_BYTES = 40

export class Cluster {
  readonly world = new World()
  readonly disks = new Map<number, VirtualDisk>()
  readonly nodes = new Map<number, Node>()
  readonly nature: Nature
  readonly network: Network
  readonly checker: Checker
  readonly #planted: Planted
  readonly #diskRandom: Prng
  readonly #nodeRandom: Prng
  readonly #trail: string[] | undefined
  /** Promises are under way: the world gives them a turn after each event. */
  #unsettled = 0
  #calm = false
  violation: Violation | undefined
  digest = 0
  events = 0
  reads = 0
  elections = 0
  installs = 0

  constructor(random: Prng, nature: Nature, planted: Planted, trail?: string[]) {
    this.nature = nature
    this.#planted = planted
    this.#trail = trail
    this.#diskRandom = random.fork('disk')
    this.#nodeRandom = random.fork('node')
    this.network = new Network(this.world, random.fork('network'), nature.network, (from, to, message) =>
      this.#deliver(from, to, message),
    )
    this.checker = new Checker(nature.voters, this.disks)
    for (const id of this.members) this.disks.set(id, new VirtualDisk())
  }

  get members(): readonly number[] {
    return [...this.nature.voters, ...this.nature.learners]
  }

  async start(id: number): Promise<void> {
    if (this.nodes.get(id)?.alive) return
    const storage = this.#storage(id)
    const node: Node = {
      driver: this.#driver(id, storage),
      storage: storage,
      alive: true,
      ready: false,
      state: { index: 0, term: 0, digest: 0 },
      compactedAt: this.disks.get(id)!.snapshot?.index ?? 0,
    }
    this.nodes.set(id, node)
    this.checker.started(id)
    this.note(() => `start ${id}`)
    await this.settling(node.driver.start())
    if (!node.alive) return
    node.ready = true
    this.#guard(() => this.#observe(id))
  }

  /** Keeps the world turning slowly until the promise is settled. */
  async settling<T>(promise: Promise<T>): Promise<T> {
    this.#unsettled++
    try {
      return await promise
    } finally {
      this.#unsettled--
    }
  }

  #storage(id: number): VirtualStorage {
    const { meanDelayMs, stall, fail } = this.nature.disk
    const random = this.#diskRandom
    const behaviour: DiskBehaviour = {
      after: (ms, run) => void this.world.after(ms, () => this.#during(id, run)),
      delayMs: () => {
        if (this.#calm) return 1
        return random.next() < stall ? random.next() * STALL_MS : -Math.log(1 - random.next()) * meanDelayMs
      },
      fails: () => !this.#calm && random.next() < fail,
      written: (before, truncatedFrom) => this.checker.afterWrite(id, before, truncatedFrom),
    }
    const disk = this.disks.get(id)!
    return this.#planted.storage?.(disk, behaviour) ?? new VirtualStorage(disk, behaviour)
  }

  #driver(id: number, storage: VirtualStorage): RaftDriver {
    const { voters, learners, timing, limits, clockSpeeds } = this.nature
    return new RaftDriver({
      id,
      voters,
      learners,
      clock: this.world.clock(clockSpeeds.get(id), (timer) => this.#during(id, timer)),
      random: this.#nodeRandom.fork(`${id}`),
      storage,
      timing,
      limits,
      rules: this.#planted.rules,
      send: (to, bytes) => this.#send(id, to, bytes),
      onCommitted: (entries) => this.#apply(id, entries),
      onSnapshot: (snapshot) => this.#restore(id, snapshot),
      onRole: ({ role }) => void (this.elections += role === 'leader' ? 1 : 0),
      onFatal: (error) => this.#fatal(id, error),
    })
  }

  #send(from: number, to: number, bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    this.checker.onSend(from, to, message)
    this.note(() => `${from} → ${to} ${describe(message)}`)
    this.network.send(from, to, bytes)
  }

  #deliver(from: number, to: number, bytes: Uint8Array): void {
    if (!this.nodes.get(to)?.ready) return
    this.note(() => `${to} ← ${from} ${describe(decodeMessage(bytes))}`)
    this.#during(to, () => this.nodes.get(to)!.driver.receive(from, bytes))
  }

  /** One event of one node, and the check after it. */
  #during(id: number, run: () => void): void {
    if (!this.nodes.get(id)?.alive) return
    run()
    this.#observe(id)
  }

  #observe(id: number): void {
    const node = this.nodes.get(id)!
    if (!node.ready) return
    const status = node.driver.status()
    this.events++
    for (const value of [this.world.now * 1000, id, status.term, status.commit, status.lastIndex, status.role.length])
      this.digest = (Math.imul(this.digest ^ Math.floor(value), 0x01000193) >>> 0) ^ (this.digest >>> 15)
    this.checker.afterEvent(id, { status, ...node.driver.entriesSinceSnapshot() })
  }

  #apply(id: number, entries: readonly Entry[]): void {
    const node = this.nodes.get(id)!
    const { state } = node
    this.checker.onCommitted(id, entries, node.driver.status())
    for (const entry of entries) node.state = { index: entry.index, term: entry.term, digest: extend(node.state.digest, entry) }
    this.note(() => `${id} applies ${state.index + 1}..${node.state.index}`)
    if (node.state.index - node.compactedAt < this.nature.compactEvery) return
    node.compactedAt = node.state.index
    node.driver.compact(node.state.index, encodeState(node.state.digest))
    this.note(() => `${id} compacts up to ${node.state.index}`)
  }

  #restore(id: number, snapshot: Snapshot): void {
    const node = this.nodes.get(id)!
    const digest = decodeState(snapshot.data)
    this.installs++
    this.note(() => `${id} restores ${snapshot.index}`)
    this.checker.onSnapshot(id, snapshot, digest)
    node.state = { index: snapshot.index, term: snapshot.term, digest }
    node.compactedAt = snapshot.index
  }

  #fatal(id: number, error: Error): void {
    this.note(() => `${id} fails: ${error.message}`)
    if (error instanceof DiskFailure) return this.crash(id, 0)
    this.violation ??= error instanceof Violation ? error : new Violation('NoMistakes', `node ${id}: ${error.message}`)
  }

  /** Of the writes that were not finished, the first `kept` are found on the disk later. */
  crash(id: number, kept: number): void {
    const node = this.nodes.get(id)
    if (!node?.alive) return
    this.note(() => `crash ${id}, ${kept} of ${node.storage.pending} writes survive`)
    node.alive = node.ready = false
    node.driver.stop()
    node.storage.crash(kept)
    this.checker.stopped(id)
  }

  read(id: number): void {
    const node = this.nodes.get(id)!
    const before = this.checker.committedUpTo
    this.settling(node.driver.readIndex()).then(
      (index) => {
        this.reads++
        this.#guard(() => this.checker.onRead(id, index, before))
      },
      (error: Error) => {
        if (!(error instanceof NotLeader)) throw error
      },
    )
  }

  #guard(check: () => void): void {
    try {
      check()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.violation ??= error
    }
  }

  /** Something that a person or a client does to a node. */
  act(id: number, run: (driver: RaftDriver) => void): void {
    if (this.nodes.get(id)?.ready) this.#during(id, () => run(this.nodes.get(id)!.driver))
  }

  becomeCalm(): void {
    this.#calm = true
  }

  leader(): RaftDriver | undefined {
    const leaders = [...this.nodes.values()].filter(({ ready, driver }) => ready && driver.status().role === 'leader')
    return leaders.map(({ driver }) => driver).sort((a, b) => b.status().term - a.status().term)[0]
  }

  async run(ms: number): Promise<void> {
    const until = this.world.now + ms
    while (this.#stepGuarded(until)) {
      if (this.violation) throw this.violation
      if (this.#unsettled > 0) await Promise.resolve()
    }
    if (this.violation) throw this.violation
  }

  #stepGuarded(until: number): boolean {
    let more = false
    this.#guard(() => {
      more = this.world.step(until)
    })
    return more || this.violation !== undefined
  }

  note(what: () => string): void {
    this.#trail?.push(`${this.world.now.toFixed(1).padStart(9)}  ${what()}`)
  }
}

/** Longer than a piece of a snapshot may be in some worlds. */
function encodeState(digest: number): Uint8Array {
  const data = new Uint8Array(SNAPSHOT_BYTES)
  new DataView(data.buffer).setFloat64(SNAPSHOT_BYTES - 8, digest)
  return data
}

function decodeState(data: Uint8Array): number {
  return new DataView(data.buffer, data.byteOffset, data.length).getFloat64(SNAPSHOT_BYTES - 8)
}

export function describe(message: Message): string {
  const { kind, ...fields } = message
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${showField(value)}`)
  return [kind, ...shown].join(' ')
}

function showField(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length}B`
  if (Array.isArray(value)) return `[${(value as Entry[]).map(({ index, term }) => `${index}@${term}`).join(' ')}]`
  return String(value)
}
