// What must hold after every event, by name. The names are those of the Raft paper and its specifications where they have one.
import type { Entry, HardState, Message, RaftStatus, Role, Snapshot } from '../../src/index.ts'
import type { VirtualDisk } from './virtual-storage.ts'

export class Violation extends Error {
  readonly invariant: string
  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`)
    this.invariant = invariant
  }
}

function hold(condition: boolean, invariant: string, what: () => string): asserts condition {
  if (!condition) throw new Violation(invariant, what())
}

/** A digest of a whole history: equal digests, equal prefixes. */
export function extend(digest: number, entry: { readonly term: number; readonly data: Uint8Array }): number {
  let high = Math.imul(Math.floor(digest / 0x20_0000) ^ entry.term, 0x9e3779b1)
  let low = Math.imul((digest % 0x20_0000) ^ entry.term, 0x85ebca6b)
  for (const byte of entry.data) {
    high = Math.imul(high ^ byte, 0x01000193)
    low = Math.imul(low ^ byte, 0xc2b2ae35)
  }
  return (high >>> 0) * 0x20_0000 + ((low ^ (high >>> 15)) & 0x1f_ffff)
}

export interface NodeState {
  readonly status: RaftStatus
  readonly snapshot: Snapshot | undefined
  readonly entries: readonly Entry[]
}

/** What was last seen of a running node. */
interface View {
  role: Role
  term: number
  commit: number
  lastIndex: number
  base: number
  entries: readonly Entry[]
  digests: number[]
  applied: number
  appliedDigest: number
}

interface Committed {
  readonly digest: number
  readonly entryTerm: number
  /** The term of the leader that committed it. */
  readonly inTerm: number
}

const key = (index: number, term: number): string => `${index}@${term}`

export class Checker {
  readonly #voters: readonly number[]
  readonly #disks: ReadonlyMap<number, VirtualDisk>
  readonly #views = new Map<number, View>()
  readonly #leaders = new Map<number, number>()
  /** Of every entry ever seen: the digest of the log up to it. */
  readonly #histories = new Map<string, number>([[key(0, 0), 0]])
  /** Position 0 stands for the empty log. */
  readonly #committed: Committed[] = [{ digest: 0, entryTerm: 0, inTerm: 0 }]
  readonly reached = new Set<string>()

  constructor(voters: readonly number[], disks: ReadonlyMap<number, VirtualDisk>) {
    this.#voters = voters
    this.#disks = disks
  }

  get committedUpTo(): number {
    return this.#committed.length - 1
  }

  digestAt(index: number): number {
    return this.#committed[index]!.digest
  }

  started(id: number): void {
    const nothing = { role: 'follower' as Role, term: 0, commit: 0, lastIndex: 0, base: 0, entries: [], digests: [] }
    this.#views.set(id, { ...nothing, applied: 0, appliedDigest: 0 })
  }

  stopped(id: number): void {
    this.#views.delete(id)
  }

  /** The node has just done something. */
  afterEvent(id: number, state: NodeState): void {
    const view = this.#views.get(id)!
    const { status } = state
    hold(status.term >= view.term, 'MonotonicTerm', () => `node ${id} went from term ${view.term} to ${status.term}`)
    this.#checkElection(id, status)
    this.#checkAppendOnly(id, view, state)
    this.#checkLog(id, view, state)
    if (status.role === 'leader' && (view.role !== 'leader' || view.term !== status.term))
      this.#checkCompleteness(id, view, status)
    this.#checkCommit(id, view, status)
    Object.assign(view, { role: status.role, term: status.term, commit: status.commit, lastIndex: status.lastIndex })
  }

  #checkElection(id: number, { role, term }: RaftStatus): void {
    if (role !== 'leader') return
    const leader = this.#leaders.get(term) ?? id
    this.#leaders.set(term, leader)
    hold(leader === id, 'ElectionSafety', () => `nodes ${leader} and ${id} both lead term ${term}`)
  }

  #checkAppendOnly(id: number, view: View, { status, snapshot, entries }: NodeState): void {
    if (view.role !== 'leader' || status.role !== 'leader' || view.term !== status.term) return
    const grown = status.lastIndex >= view.lastIndex
    const lastSeen = view.entries.at(-1)
    const base = snapshot?.index ?? 0
    const kept = !lastSeen || lastSeen.index <= base || entries[lastSeen.index - base - 1] === lastSeen
    hold(
      grown && kept,
      'LeaderAppendOnly',
      () => `leader ${id} of term ${status.term} lost entries it had, end was ${view.lastIndex}`,
    )
  }

  #checkLog(id: number, view: View, { snapshot, entries, status }: NodeState): void {
    const base = snapshot?.index ?? 0
    if (view.base === base && view.entries.length === entries.length && view.entries.at(-1) === entries.at(-1)) return
    let digest = this.#histories.get(key(base, snapshot?.term ?? 0))
    hold(
      digest !== undefined,
      'LogMatching',
      () => `node ${id} has a snapshot at ${base}@${snapshot?.term}, where no log ever was`,
    )
    const digests: number[] = [digest]
    let term = snapshot?.term ?? 0
    for (const entry of entries) {
      const seen = view.entries[entry.index - view.base - 1]
      digest = seen === entry ? view.digests[entry.index - view.base]! : this.#register(id, entry, extend(digest, entry))
      digests.push(digest)
      hold(
        entry.term >= term && entry.term <= status.term,
        'LogMatching',
        () => `node ${id} has entry ${key(entry.index, entry.term)} after term ${term}`,
      )
      term = entry.term
    }
    Object.assign(view, { base, entries, digests })
  }

  #register(id: number, { index, term }: Entry, digest: number): number {
    const name = key(index, term)
    const known = this.#histories.get(name) ?? digest
    this.#histories.set(name, known)
    hold(known === digest, 'LogMatching', () => `node ${id} has ${name} after another history than others`)
    return digest
  }

  /** Every entry that an earlier leader committed is in the log of a new one. */
  #checkCompleteness(id: number, view: View, { term }: RaftStatus): void {
    let index = this.committedUpTo
    while (this.#committed[index]!.inTerm > term) index--
    const { digest } = this.#committed[index]!
    const has = index < view.base || view.digests[index - view.base] === digest
    hold(has, 'LeaderCompleteness', () => `leader ${id} of term ${term} lacks entry ${index}, which was committed before`)
  }

  #checkCommit(id: number, view: View, { commit, lastIndex, role, voters, learners }: RaftStatus): void {
    hold(commit >= view.commit, 'MonotonicCommit', () => `node ${id} went from commit ${view.commit} to ${commit}`)
    hold(commit <= lastIndex, 'CommitWithinLog', () => `node ${id} has commit ${commit}, log ends at ${lastIndex}`)
    const durable = [...voters, ...learners].find((member) => member.id === id)!.matchIndex
    if (role === 'leader')
      hold(commit <= durable, 'CommittedIsDurable', () => `leader ${id} commits ${commit}, disk has ${durable}`)
    for (let index = Math.max(view.commit, view.base) + 1; index <= commit; index++) {
      hold(
        index <= this.committedUpTo,
        'OnlyLeadersCommit',
        () => `${role} ${id} takes ${index} for committed, no leader committed it`,
      )
      const same = this.#committed[index]!.digest === view.digests[index - view.base]!
      hold(same, 'LogInv', () => `node ${id} committed another entry at ${index} than others`)
    }
  }

  /** A committed entry is on the disks of a quorum. */
  #checkQuorum(index: number): void {
    const { entryTerm } = this.#committed[index]!
    const holders = this.#voters.filter((id) => holds(this.#disks.get(id)!, index, entryTerm))
    const enough = holders.length > this.#voters.length / 2
    hold(enough, 'QuorumLog', () => `entry ${index}@${entryTerm} is committed, but on the disks of ${holders.join()} only`)
  }

  /** A write has reached a disk. */
  afterWrite(id: number, before: HardState, truncatedFrom: number | undefined): void {
    const disk = this.#disks.get(id)!
    const { term, vote, commit } = disk.hardState
    hold(term >= before.term, 'MonotonicTerm', () => `disk ${id} went from term ${before.term} to ${term}`)
    const sameVote = term > before.term || before.vote === -1 || vote === before.vote
    hold(sameVote, 'OneVoteATerm', () => `disk ${id} changed its vote in term ${term} from ${before.vote} to ${vote}`)
    hold(commit >= before.commit, 'MonotonicCommit', () => `disk ${id} went from commit ${before.commit} to ${commit}`)
    const last = disk.entries.at(-1)?.index ?? disk.snapshot?.index ?? 0
    hold(commit <= last, 'CommittedIsDurable', () => `disk ${id} records commit ${commit}, its log ends at ${last}`)
    hold(
      (disk.snapshot?.index ?? 0) <= commit,
      'SnapshotIsCommitted',
      () => `disk ${id} has a snapshot at ${disk.snapshot?.index}, commit ${commit}`,
    )
    if (truncatedFrom !== undefined) this.#recountFrom(truncatedFrom)
  }

  #recountFrom(index: number): void {
    for (let each = index; each <= this.committedUpTo; each++) this.#checkQuorum(each)
  }

  /** What a node says, its disk must already know. */
  onSend(from: number, to: number, message: Message): void {
    const { hardState } = this.#disks.get(from)!
    const remembers = (vote: number): boolean =>
      hardState.term > message.term || (hardState.term === message.term && hardState.vote === vote)
    if (message.kind === 'voteReply' && message.granted)
      hold(remembers(to), 'VoteIsDurable', () => `node ${from} votes for ${to} in term ${message.term}, its disk does not know`)
    if (message.kind === 'vote')
      hold(remembers(from), 'VoteIsDurable', () => `node ${from} campaigns in term ${message.term}, its disk does not know`)
    if (message.kind === 'appendReply' && message.accepted) this.#checkAck(from, message.term, message.index)
  }

  #checkAck(from: number, term: number, index: number): void {
    const disk = this.#disks.get(from)!
    const last = disk.entries.at(-1)?.index ?? disk.snapshot?.index ?? 0
    // After a newer leader replaced entries, an answer of before may still be on its way.
    const replaced = disk.hardState.term > term
    hold(replaced || last >= index, 'AckIsDurable', () => `node ${from} confirms up to ${index}, its disk ends at ${last}`)
  }

  onCommitted(id: number, entries: readonly Entry[], status: RaftStatus): void {
    const view = this.#views.get(id)!
    const known = this.committedUpTo
    for (const entry of entries) {
      hold(entry.index === view.applied + 1, 'AppliedInOrder', () => `node ${id} applies ${entry.index} after ${view.applied}`)
      hold(entry.index <= status.commit, 'AppliedIsCommitted', () => `node ${id} applies ${entry.index}, commit ${status.commit}`)
      const durable = holds(this.#disks.get(id)!, entry.index, entry.term)
      hold(durable, 'AppliedIsDurable', () => `node ${id} applies ${key(entry.index, entry.term)}, its disk does not have it`)
      view.applied = entry.index
      view.appliedDigest = extend(view.appliedDigest, entry)
      if (entry.index > this.committedUpTo) this.#commit(id, entry, view.appliedDigest, status)
      this.#checkApplied(id, view)
    }
    const { index, term } = entries.at(-1)!
    const ownTerm = index <= known || term === status.term
    hold(ownTerm, 'CommitsOwnTerm', () => `leader ${id} of term ${status.term} commits ${key(index, term)} by counting`)
  }

  /** A leader applies at once what it commits, so this is where it first shows. */
  #commit(id: number, entry: Entry, digest: number, status: RaftStatus): void {
    const { role } = status
    const { index, term } = entry
    this.#register(id, entry, digest)
    hold(role === 'leader', 'OnlyLeadersCommit', () => `${role} ${id} applies ${index}, no leader committed it`)
    this.#committed.push({ digest, entryTerm: term, inTerm: status.term })
    this.#checkQuorum(index)
  }

  onSnapshot(id: number, snapshot: Snapshot, digest: number): void {
    const view = this.#views.get(id)!
    hold(
      snapshot.index > view.applied,
      'SnapshotMovesForward',
      () => `node ${id} applied up to ${view.applied}, then snapshot ${snapshot.index}`,
    )
    view.applied = snapshot.index
    view.appliedDigest = digest
    this.#checkApplied(id, view)
  }

  #checkApplied(id: number, view: View): void {
    const same = this.#committed[view.applied]!.digest === view.appliedDigest
    hold(same, 'StateMachineSafety', () => `node ${id} has another state at ${view.applied} than others`)
  }

  onRead(id: number, index: number, committedBefore: number): void {
    hold(
      index >= committedBefore,
      'ReadSafety',
      () => `node ${id} serves a read at ${index}, ${committedBefore} was committed before it`,
    )
  }

  applied(id: number): { readonly index: number; readonly digest: number } {
    const view = this.#views.get(id)!
    return { index: view.applied, digest: view.appliedDigest }
  }
}

function holds(disk: VirtualDisk, index: number, term: number): boolean {
  const base = disk.snapshot?.index ?? 0
  return index <= base || disk.entries[index - base - 1]?.term === term
}
