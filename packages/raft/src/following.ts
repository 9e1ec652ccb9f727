// The follower's side of the log: taking entries, commit indexes and snapshots from the leader (§5.3, §7).
import { assert } from '@faultline/base'
import type { Core, Incoming } from './core.ts'
import type { Append, Heartbeat, InstallSnapshot } from './message.ts'
import type { Snapshot } from './types.ts'

export function onAppend(core: Core, from: number, m: Append): void {
  core.hearLeader(from)
  // What is committed here is in the leader's log too, so this is an old message: tell where we are instead.
  if (m.prevIndex < core.commit) return accept(core, from, core.commit)
  if (core.log.termAt(m.prevIndex) !== m.prevTerm) return refuse(core, from, m.prevIndex, m.prevTerm)
  const at = core.config.rules.firstDifference(m.entries, (index) => core.log.termAt(index))
  if (at < m.entries.length) {
    const { index } = m.entries[at]!
    if (index <= core.log.lastIndex) core.truncateFrom(index)
    core.log.append(m.entries.slice(at))
  }
  const lastShown = m.prevIndex + m.entries.length
  core.commitTo(Math.min(m.commit, lastShown))
  accept(core, from, lastShown)
}

function accept(core: Core, to: number, index: number): void {
  core.send(to, { kind: 'appendReply', term: core.term, accepted: true, index, hintIndex: 0, hintTerm: 0 })
}

/** An entry of this index and term is not here. */
function refuse(core: Core, to: number, index: number, term: number): void {
  const hintIndex = core.log.lastNotAfterTerm(index, term)
  const hintTerm = core.log.termAt(hintIndex)!
  core.send(to, { kind: 'appendReply', term: core.term, accepted: false, index, hintIndex, hintTerm })
}

export function onHeartbeat(core: Core, from: number, m: Heartbeat): void {
  core.hearLeader(from)
  // A leader tells no more than what this node confirmed. If there is less here, the disk was replaced since: say so.
  if (m.commit > core.log.lastIndex) refuse(core, from, m.commit, m.term)
  else if (m.commit > core.commit) core.commitTo(m.commit)
  else core.recordCommit = true
  core.send(from, { kind: 'heartbeatReply', term: core.term, round: m.round })
}

export function onInstallSnapshot(core: Core, from: number, m: InstallSnapshot): void {
  core.hearLeader(from)
  if (!core.config.rules.isNewSnapshot(m.lastIndex, core.commit)) return accept(core, from, core.commit)
  const incoming = collect(core, m)
  if (incoming.filled < m.size) {
    const { lastIndex, offset } = m
    const nextOffset = incoming.filled
    return core.send(from, { kind: 'installSnapshotReply', term: core.term, lastIndex, offset, nextOffset })
  }
  core.incoming = undefined
  install(core, { index: m.lastIndex, term: m.lastTerm, data: joined(incoming.pieces, m.size) })
  accept(core, from, m.lastIndex)
}

/** Adds a piece if it is the one that comes next. */
function collect(core: Core, m: InstallSnapshot): Incoming {
  const known = core.incoming
  const same = known?.term === m.term && known.lastIndex === m.lastIndex && known.size === m.size
  const incoming = same ? known : { term: m.term, lastIndex: m.lastIndex, size: m.size, pieces: [], filled: 0 }
  core.incoming = incoming
  if (m.offset === incoming.filled) {
    incoming.pieces.push(m.data)
    incoming.filled += m.data.length
  }
  return incoming
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function install(core: Core, snapshot: Snapshot): void {
  // The log has it all already: then it only lacked the knowledge that it is committed, and what follows can stay.
  if (core.log.termAt(snapshot.index) === snapshot.term) return core.commitTo(snapshot.index)
  core.writes.replacedAfter(Math.min(core.commit, snapshot.index))
  core.log.restore(snapshot)
  core.commit = snapshot.index
  core.unapplied = snapshot
  assert(core.term >= snapshot.term, `snapshot of term ${snapshot.term} in term ${core.term}`)
}
