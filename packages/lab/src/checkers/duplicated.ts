// Duplicated: sent once, there at more than one offset. What programs write may be the same on purpose: theirs is one that was sent again, as nobody
// had heard what became of it, and both are there.
import { type Read, readIdentity, type Send } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'
import { type Facts, groupBy } from './facts.ts'

export const duplicated: Checker = {
  anomaly: 'duplicated',
  what: 'records that are there more than once',
  check(facts) {
    const { history, policy } = facts
    const first = new Map<string, number>()
    const findings = new Findings()
    let judged = 0
    for (const read of history.final) {
      const { topic, partition, value, offset } = read
      if (readIdentity(value) === undefined) continue
      judged++
      const key = `${topic} ${value}`
      const before = first.get(key)
      if (before === undefined) first.set(key, offset)
      else
        findings.add(`${topic}-${partition}: ${value} at ${before} and ${offset}`, reasonFor(facts, read), facts.whenSent(read))
    }
    const there = sentByPrograms(facts)
    for (const [first, again] of sentAgain(there))
      findings.add(
        `${first.topic}-${first.partition}: ${first.process} sent number ${first.sequence}, heard nothing of it, and sent it again as ${again.sequence}`,
        policy.repeatsOf(first),
      )
    return findings.of(judged + there.length)
  },
}

/** Of what a program has written, the program's producer; else the one that the record names. */
function reasonFor(facts: Facts, read: Read): string | undefined {
  const send = facts.sendOf(read)
  return send?.seen ? facts.policy.repeatsOf(send) : facts.policy.repeats(readIdentity(read.value)?.process ?? '')
}

/** What is there of programs, but for copies of our records, which have names of their own. */
function sentByPrograms(facts: Facts): Send[] {
  const there = new Set(facts.history.final.flatMap((read) => (readIdentity(read.value) ? [] : (facts.sendOf(read) ?? []))))
  return facts.history.sends.filter((s) => s.seen !== undefined && there.has(s))
}

/** Those of which nobody has heard, each with the next that holds the same. */
function* sentAgain(there: readonly Send[]): Generator<readonly [Send, Send]> {
  const same = groupBy(there, (s) => `${s.process} ${s.topic}-${s.partition} ${s.seen!.place}`)
  for (const sends of same.values())
    for (const [i, send] of sends.entries()) {
      const next = sends[i + 1]
      if (send.outcome !== 'ok' && next !== undefined) yield [send, next]
    }
}
