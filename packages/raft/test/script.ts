// The language of the transcripts: commands to a group of bare machines, and what each of them did in answer. Time, disks and links move
// only when a command says so; see test/transcripts/README.md.
import type { Random } from '@faultline/base'
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMING,
  type Entry,
  type Input,
  type Message,
  type Output,
  Raft,
  type RaftLimits,
  type RoleStatus,
  RULES,
  type Survived,
} from '../src/index.ts'
import { VirtualDisk } from './sim/virtual-storage.ts'

interface Node {
  raft: Raft
  now: number
  readonly disk: VirtualDisk
  writes: NonNullable<Output['write']>[]
  manualDisk: boolean
  wantsFlush: boolean
  wakeAt: number
  reads: string[]
  role: string
}

interface Parcel {
  readonly from: number
  readonly to: number
  readonly message: Message
}

type Options = ReadonlyMap<string, string>
interface Command {
  readonly words: readonly string[]
  readonly options: Options
}

const text = (data: Uint8Array): string => (data.length === 0 ? 'no-op' : JSON.stringify(new TextDecoder().decode(data)))
const at = ({ index, term }: { index: number; term: number }): string => `${index}@${term}`
const list = (entries: readonly Entry[]): string => `[${entries.map(at).join(' ')}]`

/** Node n draws n tenths, always: node 1 is the first to time out. */
const randomOf = (id: number): Random => ({ next: () => id / 10, below: () => 0, bytes: (count) => new Uint8Array(count) })

export class Script {
  #nodes = new Map<number, Node>()
  #voters: readonly number[] = []
  #learners: readonly number[] = []
  #limits: RaftLimits = DEFAULT_LIMITS
  #parcels: Parcel[] = []
  #cuts = new Set<string>()
  #lines: string[] = []
  readonly #commands: Readonly<Record<string, (command: Command) => void>> = {
    cluster: (command) => this.#cluster(command),
    log: (command) => this.#log(command),
    advance: ({ words }) => this.#advance(Number(words[0]), this.#ids(words.slice(1))),
    campaign: ({ words }) => this.#campaign(Number(words[0])),
    elect: ({ words }) => this.#elect(Number(words[0])),
    deliver: (command) => this.#deliver(command),
    drop: (command) => this.#drop(command),
    repeat: (command) => this.#repeat(command),
    stabilize: ({ words }) => this.#stabilize(this.#ids(words)),
    cut: ({ words }) => void this.#cuts.add(words.join('>')),
    heal: () => this.#cuts.clear(),
    disk: ({ words }) => void (this.#node(words[0]).manualDisk = words[1] === 'manual'),
    persist: ({ words }) => this.#persist(Number(words[0])),
    propose: ({ words }) => this.#propose(Number(words[0]), words.slice(1)),
    read: ({ words }) => this.#read(Number(words[0]), words[1]!),
    transfer: ({ words }) => this.#step(Number(words[0]), { type: 'transfer', to: words[1] ? Number(words[1]) : undefined }),
    compact: ({ words }) => this.#compact(Number(words[0]), Number(words[1])),
    restart: ({ words }) => this.#restart(Number(words[0])),
    wipe: ({ words }) => this.#wipe(Number(words[0])),
    status: ({ words }) => this.#status(this.#ids(words)),
    progress: ({ words }) => this.#progress(Number(words[0])),
    pending: () => this.#parcels.forEach((parcel) => this.#say(showParcel(parcel))),
  }

  /** The lines that a command leads to. */
  run(line: string): string[] {
    const words = line.split(/\s+/)
    const options = new Map(words.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]))
    const command = this.#commands[words[0]!]
    if (!command) throw new Error(`unknown command "${line}"`)
    this.#lines = []
    command({ words: words.slice(1).filter((word) => !word.includes('=')), options })
    return this.#lines.length > 0 ? this.#lines : ['ok']
  }

  #say(line: string): void {
    this.#lines.push(line)
  }

  #node(id: string | number | undefined): Node {
    const node = this.#nodes.get(Number(id))
    if (!node) throw new Error(`no node ${id}`)
    return node
  }

  #ids(words: readonly string[]): number[] {
    return words.length > 0 ? words.map(Number) : [...this.#nodes.keys()]
  }

  #cluster({ words, options }: Command): void {
    this.#nodes = new Map()
    this.#parcels = []
    this.#cuts.clear()
    this.#voters = Array.from({ length: Number(words[0]) }, (_, i) => i + 1)
    this.#learners = options.get('learners')?.split(',').map(Number) ?? []
    const limit = (name: string, usual: number): number => Number(options.get(name) ?? usual)
    this.#limits = {
      appendBytes: limit('append', DEFAULT_LIMITS.appendBytes),
      inflightAppends: limit('inflight', DEFAULT_LIMITS.inflightAppends),
      uncommittedBytes: limit('uncommitted', DEFAULT_LIMITS.uncommittedBytes),
      snapshotChunkBytes: limit('chunk', DEFAULT_LIMITS.snapshotChunkBytes),
    }
    for (const id of [...this.#voters, ...this.#learners]) this.#boot(id, new VirtualDisk(), 0)
  }

  /** Gives a node a log, term and commit index, as if it had been running for long: `log 1 1@1 2@1 term=2 vote=1 commit=1`. */
  #log({ words: [id, ...entries], options }: Command): void {
    const { disk, now } = this.#node(id)
    disk.entries = entries.map((entry) => {
      const [index, term] = entry.split('@').map(Number) as [number, number]
      return { index, term, data: new TextEncoder().encode('old') }
    })
    const option = (name: string, usual: number): number => Number(options.get(name) ?? usual)
    disk.hardState = {
      term: option('term', disk.entries.at(-1)?.term ?? 0),
      vote: option('vote', -1),
      commit: option('commit', 0),
    }
    this.#boot(Number(id), disk, now)
  }

  #boot(id: number, disk: VirtualDisk, now: number): void {
    const survived: Survived = disk.read()
    const config = { id, voters: this.#voters, learners: this.#learners, timing: DEFAULT_TIMING, limits: this.#limits }
    const raft = new Raft({ ...config, random: randomOf(id), rules: RULES }, survived, now)
    const nothing = { writes: [], manualDisk: false, wantsFlush: false, wakeAt: Number.POSITIVE_INFINITY, reads: [] }
    this.#nodes.set(id, { raft, now, disk, ...nothing, role: 'follower' })
    this.#step(id, { type: 'flush' })
  }

  #step(id: number, input: Input): void {
    const node = this.#node(id)
    this.#carryOut(id, node, node.raft.step(input, node.now))
    while (!node.manualDisk && node.writes.length > 0) this.#persist(id)
    if (!node.wantsFlush) return
    node.wantsFlush = false
    this.#step(id, { type: 'flush' })
  }

  #carryOut(id: number, node: Node, output: Output): void {
    const { write, send, role, snapshot, committed, reads } = output
    if (write) {
      node.writes.push(write)
      this.#say(`${id} writes${showBatch(write.batch)}`)
    }
    for (const { to, message } of send) this.#post({ from: id, to, message })
    if (role) this.#sayRole(id, node, role)
    if (snapshot) this.#say(`${id} restores ${at(snapshot)}`)
    if (committed.length > 0)
      this.#say(`${id} applies ${committed.map((entry) => `${at(entry)} ${text(entry.data)}`).join(', ')}`)
    for (const read of reads) {
      const outcome = read.index === undefined ? 'refuses read' : `serves at ${read.index} read`
      this.#say(`${id} ${outcome} ${node.reads[read.id]}`)
    }
    node.wantsFlush = output.wantsFlush
    node.wakeAt = output.wakeAt
  }

  #sayRole(id: number, node: Node, { role, term, leader }: RoleStatus): void {
    const known = role !== 'leader' && leader !== -1 ? ` of ${leader}` : ''
    const now = `${role}${known}`
    this.#say(now === node.role ? `${id} enters term ${term}` : `${id}@${term} ${node.role} ⇨ ${now}`)
    node.role = now
  }

  #post(parcel: Parcel): void {
    const lost = this.#cuts.has(`${parcel.from}>${parcel.to}`)
    this.#say(`${showParcel(parcel)}${lost ? ' ✗' : ''}`)
    if (!lost) this.#parcels.push(parcel)
  }

  #advance(ms: number, ids: readonly number[]): void {
    for (const id of ids) this.#node(id).now += ms
    for (const id of ids) if (this.#node(id).now >= this.#node(id).wakeAt) this.#step(id, { type: 'tick' })
  }

  /** The node's clock reaches its deadline. */
  #campaign(id: number): void {
    const node = this.#node(id)
    node.now = Math.max(node.now, node.wakeAt)
    this.#step(id, { type: 'tick' })
  }

  /** For stories that begin after an election. */
  #elect(id: number): void {
    this.#campaign(id)
    this.#stabilize(this.#ids([]))
    this.#lines = []
    this.#status([id])
  }

  #matching({ words, options }: Command): Parcel[] {
    const is = (name: string, value: string | number): boolean => (options.get(name) ?? String(value)) === String(value)
    const found = this.#parcels.filter(({ from, to, message }) => is('from', from) && is('to', to) && is('kind', message.kind))
    return words[0] === 'first' ? found.slice(0, 1) : words[0] === 'last' ? found.slice(-1) : found
  }

  #deliver(command: Command): void {
    for (const parcel of this.#matching(command)) this.#arrive(parcel)
  }

  #arrive(parcel: Parcel): void {
    this.#parcels = this.#parcels.filter((each) => each !== parcel)
    const { from, to, message } = parcel
    this.#say(`${to} ← ${from} ${message.kind}`)
    this.#step(to, { type: 'message', from, message })
  }

  #drop(command: Command): void {
    const gone = this.#matching(command)
    for (const parcel of gone) this.#say(`lost: ${showParcel(parcel)}`)
    this.#parcels = this.#parcels.filter((parcel) => !gone.includes(parcel))
  }

  /** The network makes a copy, which arrives after everything else. */
  #repeat(command: Command): void {
    for (const parcel of this.#matching(command)) this.#parcels.push({ ...parcel })
  }

  /** Delivers until nothing is on its way to these nodes. */
  #stabilize(ids: readonly number[]): void {
    for (let parcel = this.#next(ids); parcel; parcel = this.#next(ids)) this.#arrive(parcel)
  }

  #next(ids: readonly number[]): Parcel | undefined {
    return this.#parcels.find(({ to }) => ids.includes(to))
  }

  #persist(id: number): void {
    const node = this.#node(id)
    const write = node.writes.shift()
    if (!write) throw new Error(`node ${id} is not writing`)
    node.disk.apply(write.batch)
    this.#step(id, { type: 'persisted', sequence: write.sequence })
  }

  #propose(id: number, proposals: readonly string[]): void {
    for (const each of proposals) {
      const proposed = this.#node(id).raft.propose(new TextEncoder().encode(each))
      if (!proposed) return this.#say(`${id} takes no proposals`)
    }
    this.#step(id, { type: 'flush' })
  }

  #read(id: number, name: string): void {
    const { reads } = this.#node(id)
    this.#step(id, { type: 'read', id: reads.push(name) - 1 })
  }

  #compact(id: number, index: number): void {
    this.#step(id, { type: 'compact', index, data: new TextEncoder().encode(`state at ${index}`) })
  }

  /** A crash: what was not persisted is gone. */
  #restart(id: number): void {
    const { disk, now } = this.#node(id)
    this.#parcels = this.#parcels.filter(({ to }) => to !== id)
    this.#boot(id, disk, now)
  }

  #wipe(id: number): void {
    this.#parcels = this.#parcels.filter(({ to }) => to !== id)
    this.#boot(id, new VirtualDisk(), this.#node(id).now)
  }

  #status(ids: readonly number[]): void {
    for (const id of ids) {
      const { core } = this.#node(id).raft
      const { log } = core
      const snapshot = log.snapshot ? `snapshot=${at(log.snapshot)} ` : ''
      const vote = core.vote === -1 ? '' : ` vote=${core.vote}`
      const entries = list(log.slice(log.firstIndex, log.lastIndex))
      this.#say(`${id}@${core.term} ${this.#node(id).role}${vote} commit=${core.commit} ${snapshot}log=${entries}`)
    }
  }

  #progress(id: number): void {
    for (const [to, { state, match, next, inflight, probing }] of this.#node(id).raft.core.lead!.progress) {
      const waiting = probing ? ' waiting' : inflight.length > 0 ? ` inflight=${inflight.join()}` : ''
      this.#say(`${to}: ${state} match=${match} next=${next}${waiting}`)
    }
  }
}

function showBatch({ truncateFrom, snapshot, entries, hardState }: NonNullable<Output['write']>['batch']): string {
  const parts = ['']
  if (truncateFrom !== undefined) parts.push(`cut from ${truncateFrom}`)
  if (snapshot) parts.push(`snapshot ${at(snapshot)}`)
  if (entries.length > 0) parts.push(list(entries))
  if (hardState) parts.push(`term=${hardState.term} vote=${hardState.vote} commit=${hardState.commit}`)
  return parts.join(' ')
}

function showParcel({ from, to, message }: Parcel): string {
  return `${from} → ${to} ${message.kind}@${message.term}${showBody(message)}`
}

function showBody(m: Message): string {
  switch (m.kind) {
    case 'preVote':
      return ` last=${m.lastIndex}@${m.lastTerm}`
    case 'vote':
      return ` last=${m.lastIndex}@${m.lastTerm}${m.transfer ? ' transfer' : ''}`
    case 'preVoteReply':
    case 'voteReply':
      return m.granted ? ' granted' : ' refused'
    case 'append':
      return ` prev=${m.prevIndex}@${m.prevTerm} commit=${m.commit} ${list(m.entries)}`
    case 'appendReply':
      return m.accepted ? ` accepted=${m.index}` : ` refused=${m.index} hint=${m.hintIndex}@${m.hintTerm}`
    case 'heartbeat':
      return ` commit=${m.commit} round=${m.round}`
    case 'heartbeatReply':
      return ` round=${m.round}`
    case 'installSnapshot':
      return ` last=${m.lastIndex}@${m.lastTerm} bytes ${m.offset}..${m.offset + m.data.length} of ${m.size}`
    case 'installSnapshotReply':
      return ` last=${m.lastIndex} next=${m.nextOffset}`
    case 'timeoutNow':
      return ''
  }
}
