// The state of one node (figure 2 of the Raft paper) and the moves that all of its parts share. No input or output happens here.
import { assert, type Random } from '@faultline/base'
import { RaftLog } from './log.ts'
import type { Message } from './message.ts'
import type { Progress } from './progress.ts'
import type { Rules } from './rules.ts'
import type { Entry, HardState, RaftLimits, RaftTiming, Role, Snapshot, Survived } from './types.ts'
import { type Envelope, Writes } from './writes.ts'

export interface RaftConfig {
  readonly id: number
  readonly voters: readonly number[]
  /** They receive the log and neither vote nor count. */
  readonly learners: readonly number[]
  readonly timing: RaftTiming
  readonly limits: RaftLimits
  readonly random: Random
  readonly rules: Rules
}

/** The answer to a read; without an index leadership was lost before it could be confirmed. */
export interface ReadAnswer {
  readonly id: number
  readonly index: number | undefined
}

/** The pieces of a leader's snapshot that have come so far. Memory grows with what was received, not with what was announced. */
export interface Incoming {
  readonly term: number
  readonly lastIndex: number
  readonly size: number
  readonly pieces: Uint8Array[]
  filled: number
}

/** What only a leader has; made anew with each term it leads. */
export interface Leadership {
  readonly progress: Map<number, Progress>
  heartbeatDeadline: number
  /** Something is waiting for the next flush: entries, a commit index to tell, a read to confirm. */
  dirty: boolean
  uncommittedBytes: number
  transfer: { readonly to: number; readonly deadline: number } | undefined
  /** The latest round of read confirmations. */
  round: number
  /** Reads that wait for the term's first commit. */
  earlyReads: number[]
  /** Reads that the next round will confirm. */
  freshReads: { readonly id: number; readonly index: number }[]
  confirmingReads: { readonly id: number; readonly index: number; readonly round: number }[]
}

/** A cluster that has never elected anybody does not wait for a full timeout (ms). Pre-vote makes the attempt harmless. */
const FIRST_ELECTION_MIN = 20
const FIRST_ELECTION_MAX = 120

export class Core {
  readonly config: RaftConfig
  /** Every member but this node. */
  readonly peers: readonly number[]
  readonly log: RaftLog
  readonly writes: Writes
  now = 0

  term: number
  vote: number
  commit: number
  applied = 0
  /** As last handed to the disk. */
  recorded: HardState
  /** The commit index may be written although nothing else has to be. */
  recordCommit = false

  role: Role = 'follower'
  leader = -1
  lead: Leadership | undefined
  /** Answers to the campaign that is on. */
  ballots = new Map<number, boolean>()
  electionDeadline = Number.POSITIVE_INFINITY
  lastLeaderContact = Number.NEGATIVE_INFINITY
  #earlyElections = 0
  incoming: Incoming | undefined

  /** Messages of this step; those that promise something wait for the disk. */
  outgoing: Envelope[] = []
  /** Messages of earlier steps whose write is done. */
  released: Envelope[] = []
  answers: ReadAnswer[] = []
  /** A snapshot that applied state has to be replaced by, once it is durable. */
  unapplied: Snapshot | undefined

  constructor(config: RaftConfig, survived: Survived, now: number) {
    assert(
      new Set([config.id, ...config.voters, ...config.learners]).size === config.voters.length + config.learners.length,
      'members',
    )
    this.config = config
    this.peers = [...config.voters, ...config.learners].filter((id) => id !== config.id)
    this.log = new RaftLog(survived.snapshot, survived.entries)
    this.writes = new Writes(config.rules, this.log.lastIndex)
    this.term = survived.hardState.term
    this.vote = survived.hardState.vote
    this.commit = Math.max(survived.hardState.commit, survived.snapshot?.index ?? 0)
    assert(this.commit <= this.log.lastIndex, `commit ${this.commit} recorded, log ends at ${this.log.lastIndex}`)
    assert(this.term >= this.log.lastTerm, `term ${this.term} recorded, log has ${this.log.lastTerm}`)
    this.recorded = { ...survived.hardState }
    this.unapplied = survived.snapshot
    this.now = now
    this.resetElectionDeadline()
  }

  get isVoter(): boolean {
    return this.config.voters.includes(this.config.id)
  }
  get quorum(): number {
    return this.config.rules.quorum(this.config.voters.length)
  }

  /** The value that a quorum of voters has reached, when each voter has reached what `of` tells. */
  reachedByQuorum(own: number, of: (progress: Progress) => number, lead: Leadership): number {
    const reached = this.config.voters.map((id) => (id === this.config.id ? own : of(lead.progress.get(id)!)))
    return reached.sort((a, b) => b - a)[this.quorum - 1]!
  }

  send(to: number, message: Message): void {
    this.outgoing.push({ to, message })
  }

  becomeFollower(term: number, leader: number): void {
    const wasWaiting = this.role === 'follower'
    if (term > this.term) {
      this.term = term
      this.vote = -1
    }
    if (this.lead) this.#loseLeadership(this.lead)
    this.role = 'follower'
    this.leader = leader
    this.ballots.clear()
    if (!wasWaiting) this.resetElectionDeadline()
  }

  #loseLeadership(lead: Leadership): void {
    const reads = [...lead.earlyReads, ...[...lead.freshReads, ...lead.confirmingReads].map((read) => read.id)]
    for (const id of reads) this.answers.push({ id, index: undefined })
    this.lead = undefined
  }

  /** A message of this term from its leader has come in. */
  hearLeader(from: number): void {
    assert(this.role !== 'leader', `node ${from} also leads term ${this.term}`)
    if (this.role !== 'follower' || this.leader !== from) this.becomeFollower(this.term, from)
    this.lastLeaderContact = this.now
    this.resetElectionDeadline()
  }

  get standsByLeader(): boolean {
    if (this.lead) return true
    const { rules, timing } = this.config
    return this.leader !== -1 && rules.standsByLeader(this.now - this.lastLeaderContact, timing.electionTimeoutMs)
  }

  resetElectionDeadline(): void {
    this.electionDeadline = this.isVoter ? this.now + this.#electionDelay() : Number.POSITIVE_INFINITY
  }

  #electionDelay(): number {
    const { voters, random, timing } = this.config
    if (voters.length === 1 && this.role === 'follower') return 0
    const neverLed = this.log.lastIndex === 0 && this.lastLeaderContact === Number.NEGATIVE_INFINITY
    // Each early attempt waits twice as long as the one before, so that slow links do not make every attempt fail.
    const scale = 2 ** Math.min(this.#earlyElections, 30)
    if (neverLed && FIRST_ELECTION_MAX * scale < timing.electionTimeoutMs) {
      this.#earlyElections++
      return scale * (FIRST_ELECTION_MIN + random.next() * (FIRST_ELECTION_MAX - FIRST_ELECTION_MIN))
    }
    return timing.electionTimeoutMs * (1 + random.next())
  }

  truncateFrom(index: number): void {
    assert(index > this.commit, `truncation from ${index}, committed up to ${this.commit}`)
    this.writes.replacedAfter(index - 1)
    this.log.truncateFrom(index)
  }

  commitTo(index: number): void {
    if (index <= this.commit) return
    assert(index <= this.log.lastIndex, `commit ${index}, log ends at ${this.log.lastIndex}`)
    this.commit = index
  }

  /** Committed, durable and not yet handed out. */
  takeCommitted(): Entry[] {
    const to = Math.min(this.commit, this.writes.durable)
    if (this.unapplied !== undefined || to <= this.applied) return []
    const entries = this.log.slice(this.applied + 1, to)
    this.applied = to
    return entries
  }

  takeSnapshot(): Snapshot | undefined {
    const snapshot = this.unapplied
    if (snapshot === undefined || this.writes.durable < snapshot.index) return undefined
    this.unapplied = undefined
    this.applied = snapshot.index
    return snapshot
  }
}
