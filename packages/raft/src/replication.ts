// The leader's side of the log: sending entries, snapshots and heartbeats, counting answers, committing (§5.3, §5.4, §7).
import type { Core, Leadership } from './core.ts'
import type { AppendReply, HeartbeatReply, InstallSnapshotReply } from './message.ts'
import type { Progress } from './progress.ts'
import { checkReads, releaseEarlyReads } from './reads.ts'
import { continueTransfer } from './transfer.ts'

/** Appends to the leader's own log. Nothing leaves before the next flush, so that proposals of one turn share messages. */
export function propose(core: Core, lead: Leadership, data: Uint8Array): void {
  core.log.append([{ index: core.log.lastIndex + 1, term: core.term, data }])
  lead.uncommittedBytes += data.length
  lead.dirty = true
}

/** Sends what is waiting. */
export function flush(core: Core, lead: Leadership): void {
  lead.dirty = false
  if (lead.freshReads.length > 0) {
    lead.round++
    for (const read of lead.freshReads) lead.confirmingReads.push({ ...read, round: lead.round })
    lead.freshReads = []
    broadcastHeartbeat(core, lead)
    checkReads(core, lead)
  }
  for (const [id, progress] of lead.progress) {
    replicate(core, id, progress)
    if (Math.min(progress.match, core.commit) > progress.commitSent) sendHeartbeat(core, lead, id, progress)
  }
}

export function broadcastHeartbeat(core: Core, lead: Leadership): void {
  lead.heartbeatDeadline = core.now + core.config.timing.heartbeatMs
  for (const [id, progress] of lead.progress) sendHeartbeat(core, lead, id, progress)
}

function sendHeartbeat(core: Core, lead: Leadership, to: number, progress: Progress): void {
  const commit = core.config.rules.commitToTell(core.commit, progress.match)
  progress.commitSent = Math.max(progress.commitSent, commit)
  core.send(to, { kind: 'heartbeat', term: core.term, commit, round: lead.round })
}

/** Sends a follower everything that it lacks and flow control lets through. */
function replicate(core: Core, to: number, progress: Progress): void {
  while (progress.next <= core.log.lastIndex && mayAppend(core, progress)) sendAppend(core, to, progress)
}

function mayAppend(core: Core, progress: Progress): boolean {
  if (progress.state === 'replicate') return progress.inflight.length < core.config.limits.inflightAppends
  return progress.state === 'probe' && !progress.probing
}

function sendAppend(core: Core, to: number, progress: Progress): void {
  const prevIndex = progress.next - 1
  const prevTerm = core.log.termAt(prevIndex)
  if (prevTerm === undefined) {
    progress.becomeSnapshot(core.log.snapshot!)
    return sendPiece(core, to, progress)
  }
  const entries = core.log.page(progress.next, core.config.limits.appendBytes)
  const last = prevIndex + entries.length
  core.send(to, { kind: 'append', term: core.term, prevIndex, prevTerm, commit: core.commit, entries })
  progress.sentAt = core.now
  progress.commitSent = Math.max(progress.commitSent, Math.min(core.commit, last))
  if (progress.state === 'probe') progress.probing = true
  else if (entries.length > 0) progress.inflight.push(last)
  if (progress.state === 'replicate') progress.next = last + 1
}

function sendPiece(core: Core, to: number, progress: Progress): void {
  const transfer = progress.transfer!
  const { index: lastIndex, term: lastTerm, data: all } = transfer.snapshot
  const { offset } = transfer
  progress.sentAt = core.now
  const data = all.subarray(offset, offset + core.config.limits.snapshotChunkBytes)
  core.send(to, { kind: 'installSnapshot', term: core.term, lastIndex, lastTerm, size: all.length, offset, data })
}

export function onAppendReply(core: Core, lead: Leadership, from: number, reply: AppendReply): void {
  const progress = lead.progress.get(from)!
  progress.lastContact = core.now
  if (reply.accepted) {
    if (reply.index > core.log.lastIndex) return
    progress.accepted(reply.index)
    advanceCommit(core, lead)
    continueTransfer(core, lead, from)
  } else if (!progress.refused(reply.index, nextProbe(core, reply))) return
  lead.dirty = true
}

/** Skips a term at a time (end of §5.3), on both sides: nothing after the follower's hint matches, nor anything of a later term. */
function nextProbe(core: Core, reply: AppendReply): number {
  return Math.min(reply.index, core.log.lastNotAfterTerm(reply.hintIndex, reply.hintTerm) + 1)
}

export function onHeartbeatReply(core: Core, lead: Leadership, from: number, reply: HeartbeatReply): void {
  const progress = lead.progress.get(from)!
  progress.lastContact = core.now
  progress.round = Math.max(progress.round, reply.round)
  checkReads(core, lead)
  continueTransfer(core, lead, from)
  recoverFromLoss(core, from, progress)
}

/** The follower is there. If it lacks entries and nothing was sent to it for a while, what was sent may have been lost: ask again. */
function recoverFromLoss(core: Core, to: number, progress: Progress): void {
  const { heartbeatMs, electionTimeoutMs } = core.config.timing
  const silence = core.now - progress.sentAt
  if (progress.state === 'snapshot') {
    if (silence >= electionTimeoutMs) sendPiece(core, to, progress)
  } else if (silence >= heartbeatMs && (progress.match < core.log.lastIndex || progress.state === 'probe')) {
    // Even if the window is full or all is sent already: a gap before this append makes the follower say what it lacks.
    sendAppend(core, to, progress)
  }
}

export function onInstallSnapshotReply(core: Core, lead: Leadership, from: number, reply: InstallSnapshotReply): void {
  const progress = lead.progress.get(from)!
  progress.lastContact = core.now
  const transfer = progress.transfer
  if (!transfer || transfer.snapshot.index !== reply.lastIndex || transfer.offset !== reply.offset) return
  if (reply.nextOffset > transfer.snapshot.data.length) return
  transfer.offset = reply.nextOffset
  sendPiece(core, from, progress)
}

/** Commits what a quorum holds, if it may (§5.4.2), and tells those who wait for it. */
export function advanceCommit(core: Core, lead: Leadership): void {
  const { rules } = core.config
  const own = rules.ownMatch(core.writes.durable, core.log.lastIndex)
  const held = core.reachedByQuorum(own, (progress) => progress.match, lead)
  // Never beyond the leader's own disk: what it tells to be committed, it holds itself.
  const index = Math.min(held, own)
  if (index <= core.commit || !rules.mayCommitByCounting(core.log.termAt(index)!, core.term)) return
  for (const entry of core.log.slice(core.commit + 1, index)) lead.uncommittedBytes -= entry.data.length
  core.commitTo(index)
  lead.dirty = true
  releaseEarlyReads(core, lead)
}
