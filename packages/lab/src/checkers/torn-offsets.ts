// Torn offsets: what a transaction wrote is there and the positions that it committed are not, or the reverse. A group's position at the end says
// for each partition which transaction was the last to move it.
import type { Position, Transaction } from '../history/history.ts'
import { type Checker, Findings } from './checker.ts'
import type { Facts } from './facts.ts'

export const tornOffsets: Checker = {
  anomaly: 'tornOffsets',
  what: 'transactions whose output is there without their positions, or their positions without their output',
  check(facts) {
    const findings = new Findings()
    let judged = 0
    const at = committedAtEnd(facts)
    for (const [key, moves] of movesOf(facts)) {
      const end = at.get(key)
      if (end === undefined) continue
      judged += moves.length
      for (const { transaction, offset } of moves)
        if (offset > end && isVisible(facts, transaction))
          findings.add(
            `${transaction.id} is there, and its position ${offset} of ${key} is not: ${end}`,
            facts.policy.forgotten(),
            { at: transaction.ended },
          )
      const last = moves.filter((m) => m.offset === end)
      const explained = last.some((m) => isVisible(facts, m.transaction)) || last.some((m) => mayBeEmpty(facts, m.transaction))
      if (last.length > 0 && !explained)
        findings.add(`${last[0]!.transaction.id} is not there, and its position ${end} of ${key} is`, reasonFor(facts, last), {
          at: last[0]!.transaction.ended,
        })
    }
    return findings.of(judged)
  },
}

interface Move {
  readonly transaction: Transaction
  readonly offset: number
}

/** By group and partition; without groups whose members commit by themselves as well. */
function movesOf({ history }: Facts): Map<string, Move[]> {
  const moves = new Map<string, Move[]>()
  const others = new Set(history.commits.map((c) => c.group))
  for (const transaction of history.transactions) {
    if (transaction.group === null || others.has(transaction.group)) continue
    for (const position of transaction.positions) {
      const key = keyOf(transaction.group, position)
      const of = moves.get(key)
      const move = { transaction, offset: position.offset }
      if (of) of.push(move)
      else moves.set(key, [move])
    }
  }
  return moves
}

function keyOf(group: string, { topic, partition }: Omit<Position, 'offset'>): string {
  return `${group} on ${topic}-${partition}`
}

/** As the last look at groups found it; 0 where nothing is committed. */
function committedAtEnd({ left: { groups } }: Facts): Map<string, number> {
  const at = new Map<string, number>()
  for (const { group, positions } of groups)
    for (const { partition, committed } of positions) at.set(`${group} on ${partition}`, committed ?? 0)
  return at
}

function isVisible(facts: Facts, { id }: Transaction): boolean {
  return (facts.sendsOf.get(id) ?? []).some((s) => facts.isThere(s))
}

/** Without output there is nothing to compare. */
function mayBeEmpty(facts: Facts, { id, outcome }: Transaction): boolean {
  return outcome !== 'fail' && !facts.sendsOf.has(id)
}

function reasonFor(facts: Facts, moves: readonly Move[]): string | undefined {
  const sends = moves.flatMap((m) => facts.sendsOf.get(m.transaction.id) ?? [])
  return sends.map((s) => facts.policy.lossOf(s)).find((why) => why !== undefined) ?? facts.policy.forgotten()
}
