// Elections: pre-vote, votes, becoming leader (§5.2, §5.4.1, thesis §9.6).
import type { Core, Leadership } from './core.ts'
import type { PreVote, PreVoteReply, Vote, VoteReply } from './message.ts'
import { Progress } from './progress.ts'
import { propose } from './replication.ts'

/** Asks whether an election could be won, before a term is spent on it: a node that was cut off disturbs nobody when it returns. */
export function becomePreCandidate(core: Core): void {
  core.becomeFollower(core.term, -1)
  core.role = 'precandidate'
  core.resetElectionDeadline()
  askForVotes(core, { kind: 'preVote', term: core.term + 1, ...lastEntry(core) })
  countBallot(core, core.config.id, true)
}

/** The vote for itself counts when it is durable, as everybody else's does. */
export function becomeCandidate(core: Core, transfer: boolean): void {
  core.becomeFollower(core.term + 1, -1)
  core.role = 'candidate'
  core.vote = core.config.id
  core.resetElectionDeadline()
  askForVotes(core, { kind: 'vote', term: core.term, ...lastEntry(core), transfer })
}

function askForVotes(core: Core, message: PreVote | Vote): void {
  for (const id of core.config.voters) if (id !== core.config.id) core.send(id, message)
}

function lastEntry(core: Core): { lastIndex: number; lastTerm: number } {
  return { lastIndex: core.log.lastIndex, lastTerm: core.log.lastTerm }
}

export function onPreVote(core: Core, from: number, m: PreVote): void {
  const granted = m.term > core.term && !core.standsByLeader && isUpToDate(core, m)
  core.send(from, { kind: 'preVoteReply', term: granted ? m.term : core.term, granted })
}

export function onVote(core: Core, from: number, m: Vote): void {
  const granted = core.config.rules.mayVoteFor(from, core.vote) && core.leader === -1 && isUpToDate(core, m)
  if (granted) {
    core.vote = from
    core.resetElectionDeadline()
  }
  core.send(from, { kind: 'voteReply', term: core.term, granted })
}

function isUpToDate(core: Core, m: PreVote | Vote): boolean {
  const own = { index: core.log.lastIndex, term: core.log.lastTerm }
  return core.config.rules.isUpToDate({ index: m.lastIndex, term: m.lastTerm }, own)
}

export function onPreVoteReply(core: Core, from: number, m: PreVoteReply): void {
  const current = !m.granted || m.term === core.term + 1
  if (core.role === 'precandidate' && current) countBallot(core, from, m.granted)
}

export function onVoteReply(core: Core, from: number, m: VoteReply): void {
  if (core.role === 'candidate') countBallot(core, from, m.granted)
}

export function countBallot(core: Core, from: number, granted: boolean): void {
  if (!core.config.voters.includes(from)) return
  core.ballots.set(from, granted)
  const all = [...core.ballots.values()]
  const granting = all.filter((vote) => vote).length
  if (granting >= core.quorum) {
    if (core.role === 'precandidate') becomeCandidate(core, false)
    else becomeLeader(core)
  } else if (all.length - granting > core.config.voters.length - core.quorum) core.becomeFollower(core.term, -1)
}

function becomeLeader(core: Core): void {
  core.role = 'leader'
  core.leader = core.config.id
  core.ballots.clear()
  const next = core.log.lastIndex + 1
  const lead: Leadership = {
    progress: new Map(core.peers.map((id) => [id, new Progress(next, core.now)])),
    heartbeatDeadline: core.now + core.config.timing.heartbeatMs,
    dirty: true,
    uncommittedBytes: 0,
    transfer: undefined,
    round: 0,
    earlyReads: [],
    freshReads: [],
    confirmingReads: [],
  }
  core.lead = lead
  for (const entry of core.log.slice(core.commit + 1, core.log.lastIndex)) lead.uncommittedBytes += entry.data.length
  propose(core, lead, new Uint8Array(0))
}
