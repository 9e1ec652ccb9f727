// Judges a failover run: was anything that had been acknowledged lost, duplicated or reordered, and did the fault really hit?
import type { History, Read, Sent } from './history.ts'

export interface Fault {
  readonly partition: number
  readonly killedBroker: number
  /** Who led the partition just before, as the controller said. */
  readonly leaderBefore: number
  readonly killedMs: number
  readonly electedMs: number | undefined
}

export interface Verdict {
  readonly outcome: 'pass' | 'fail' | 'inconclusive'
  readonly reasons: readonly string[]
  readonly acknowledged: number
  readonly indeterminate: number
  readonly found: number
  readonly lost: number
  readonly duplicated: number
  readonly outOfOrder: number
  readonly contradictory: number
  /** Longest time between two acknowledgements: of any partition, and of the one whose leader was killed. */
  readonly longestGapMs: number
  readonly longestGapOfVictimMs: number
  readonly acknowledgedBefore: number
  readonly acknowledgedAfter: number
}

/** Fewer acknowledgements than this before the fault, or after the election, prove nothing. */
export const MIN_ACKNOWLEDGED = 100

export function judge(history: History, fault: Fault | undefined): Verdict {
  const acknowledged = history.acknowledged
  const byPartition = groupReads(history.reads)
  const found = acknowledged.filter((s) => byPartition.get(s.partition)?.offsetsOf.has(s.sequence)).length
  const counts = {
    acknowledged: acknowledged.length,
    indeterminate: history.sent.length - acknowledged.length,
    found,
    lost: acknowledged.length - found,
    duplicated: sum([...byPartition.values()].map(duplicates)),
    outOfOrder: sum([...byPartition.values()].map(inversions)),
    contradictory: history.contradictions.length,
    longestGapMs: longestGap(acknowledged),
    longestGapOfVictimMs: longestGap(acknowledged.filter((s) => s.partition === fault?.partition)),
    acknowledgedBefore: fault ? acknowledged.filter((s) => s.ackedMs! < fault.killedMs).length : 0,
    acknowledgedAfter: fault?.electedMs ? acknowledged.filter((s) => s.sentMs > fault.electedMs!).length : 0,
  }
  const broken = violations(counts)
  const doubts = doubtsOf(counts, fault)
  const outcome = broken.length > 0 ? 'fail' : doubts.length > 0 ? 'inconclusive' : 'pass'
  return { outcome, reasons: [...broken, ...doubts], ...counts }
}

type Counts = Omit<Verdict, 'outcome' | 'reasons'>

function violations(c: Counts): string[] {
  const reasons: string[] = []
  if (c.lost > 0) reasons.push(`${c.lost} acknowledged records are gone`)
  if (c.duplicated > 0) reasons.push(`${c.duplicated} records are there more than once`)
  if (c.outOfOrder > 0) reasons.push(`${c.outOfOrder} records are behind ones that were sent after them`)
  if (c.contradictory > 0) reasons.push(`${c.contradictory} offsets held one record first and another one later`)
  return reasons
}

function doubtsOf(c: Counts, fault: Fault | undefined): string[] {
  if (!fault) return ['no leader was killed']
  const doubts: string[] = []
  if (fault.leaderBefore !== fault.killedBroker) {
    doubts.push(`broker ${fault.killedBroker} was killed, but broker ${fault.leaderBefore} led the partition`)
  }
  if (fault.electedMs === undefined) doubts.push('no new leader was elected')
  if (c.acknowledgedBefore < MIN_ACKNOWLEDGED) doubts.push(`only ${c.acknowledgedBefore} acknowledgements before the kill`)
  if (c.acknowledgedAfter < MIN_ACKNOWLEDGED) doubts.push(`only ${c.acknowledgedAfter} acknowledgements after the election`)
  return doubts
}

interface PartitionReads {
  /** In offset order. */
  readonly sequences: readonly number[]
  readonly offsetsOf: ReadonlyMap<number, number>
}

function groupReads(reads: readonly Read[]): Map<number, PartitionReads> {
  const groups = new Map<number, Read[]>()
  for (const read of reads) {
    const group = groups.get(read.partition)
    if (group) group.push(read)
    else groups.set(read.partition, [read])
  }
  return new Map(
    [...groups].map(([partition, group]) => {
      const ordered = group.sort((a, b) => a.offset - b.offset)
      return [
        partition,
        { sequences: ordered.map((r) => r.sequence), offsetsOf: new Map(ordered.map((r) => [r.sequence, r.offset])) },
      ]
    }),
  )
}

function duplicates({ sequences }: PartitionReads): number {
  return sequences.length - new Set(sequences).size
}

/** Records that stand behind a larger sequence; one that is there twice counts as a duplicate only. */
function inversions({ sequences }: PartitionReads): number {
  const seen = new Set<number>()
  let largest = -1
  let count = 0
  for (const sequence of sequences) {
    if (sequence < largest && !seen.has(sequence)) count++
    seen.add(sequence)
    largest = Math.max(largest, sequence)
  }
  return count
}

function longestGap(acknowledged: readonly Sent[]): number {
  const times = acknowledged.map((s) => s.ackedMs!).sort((a, b) => a - b)
  let longest = 0
  for (let i = 1; i < times.length; i++) longest = Math.max(longest, times[i]! - times[i - 1]!)
  return longest
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
