// Unread commit: a group committed a position behind everything that its program had been given to read, or told of, until then. Whatever lies between
// is passed over by the next member.
import { isProgram } from '../history/edge-request.ts'
import { type Checker, Findings } from './checker.ts'
import { type Facts, groupBy } from './facts.ts'

export const unreadCommit: Checker = {
  anomaly: 'unreadCommit',
  what: 'positions that were committed before what they cover had been given to anybody to read',
  check(facts) {
    const findings = new Findings()
    let judged = 0
    const givenOf = groupBy(facts.history.given, (g) => `${g.topic}-${g.partition}`)
    for (const [at, moves] of movesOf(facts)) {
      const given = (givenOf.get(at) ?? []).sort((a, b) => a.at - b.at)
      // Who reads what without our seeing it proves nothing.
      if (given.length === 0) continue
      let [next, end] = [0, 0]
      for (const { process, group, offset, when } of moves.sort((a, b) => a.when - b.when)) {
        for (; next < given.length && given[next]!.at <= when; next++) end = Math.max(end, given[next]!.to)
        judged++
        if (offset > end)
          findings.add(`${group}: ${process} committed ${offset} of ${at}, and had been given what is before ${end}`)
      }
    }
    return findings.of(judged)
  },
}

interface Move {
  readonly process: string
  readonly group: string
  readonly offset: number
  readonly when: number
}

/** Of programs, by partition. */
function movesOf({ history }: Facts): Map<string, Move[]> {
  const moves = new Map<string, Move[]>()
  const add = (at: string, move: Move) => {
    if (!isProgram(move.process)) return
    const of = moves.get(at)
    if (of) of.push(move)
    else moves.set(at, [move])
  }
  for (const { process, group, began, positions } of history.commits)
    for (const { topic, partition, offset } of positions) add(`${topic}-${partition}`, { process, group, offset, when: began })
  for (const { process, group, committing, positions } of history.transactions)
    if (group !== null && committing !== null)
      for (const { topic, partition, offset } of positions)
        add(`${topic}-${partition}`, { process, group, offset, when: committing })
  return moves
}
