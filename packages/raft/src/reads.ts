// Reads that see every write completed before them, without writing to the log (§8, thesis §6.4: the read index).
import type { Core, Leadership } from './core.ts'

export function readIndex(core: Core, lead: Leadership, id: number): void {
  const committedTerm = core.log.termAt(core.commit)!
  if (core.config.rules.knowsCommit(committedTerm, core.term)) {
    lead.freshReads.push({ id, index: core.commit })
    lead.dirty = true
  } else lead.earlyReads.push(id)
}

/** The term has its first commit: now the leader knows all that earlier leaders committed. */
export function releaseEarlyReads(core: Core, lead: Leadership): void {
  const ids = lead.earlyReads
  lead.earlyReads = []
  for (const id of ids) readIndex(core, lead, id)
}

export function checkReads(core: Core, lead: Leadership): void {
  const { rules, voters, id: self } = core.config
  const rounds = voters.map((id) => (id === self ? lead.round : lead.progress.get(id)!.round)).sort((a, b) => b - a)
  const confirmed = lead.confirmingReads.filter((read) => rules.isReadConfirmed(read.round, rounds, core.quorum))
  if (confirmed.length === 0) return
  for (const { id, index } of confirmed) core.answers.push({ id, index })
  lead.confirmingReads = lead.confirmingReads.filter((read) => !confirmed.includes(read))
}
