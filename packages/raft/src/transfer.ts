// Leadership transfer (thesis §3.10): stop taking proposals, bring the target up to date, tell it to campaign at once.
import type { Core, Leadership } from './core.ts'

/** Without a target, the follower that is furthest and in touch. Ignored when there is nobody to hand over to. */
export function transferLeadership(core: Core, lead: Leadership, to: number | undefined): void {
  const target = to ?? bestTarget(core, lead)
  if (target === undefined || target === core.config.id || !core.config.voters.includes(target)) return
  if (lead.transfer?.to === target) return
  lead.transfer = { to: target, deadline: core.now + core.config.timing.electionTimeoutMs }
  continueTransfer(core, lead, target)
}

function bestTarget(core: Core, lead: Leadership): number | undefined {
  const { timing, voters } = core.config
  let best: number | undefined
  for (const [id, progress] of lead.progress) {
    const inTouch = core.now - progress.lastContact < timing.electionTimeoutMs
    if (!voters.includes(id) || !inTouch) continue
    if (best === undefined || progress.match > lead.progress.get(best)!.match) best = id
  }
  return best
}

/** Repeated with every answer of the target, as the message may be lost. */
export function continueTransfer(core: Core, lead: Leadership, from: number): void {
  if (lead.transfer?.to !== from || lead.progress.get(from)!.match < core.log.lastIndex) return
  core.send(from, { kind: 'timeoutNow', term: core.term })
}
