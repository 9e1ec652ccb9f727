// Which transactions were aborted in a range of a log, from the indexes of its segments.
import type { LogConfig } from './log-config.ts'
import { rebuildProducerStates, type ProducerSources } from './log-loader.ts'
import { ProducerStates } from './producer-states.ts'
import type { Segment } from './segment.ts'
import type { AbortedTransaction } from './transaction-index.ts'

/** Those with records in [from, to). */
export function abortedTransactionsIn(
  log: ProducerSources,
  from: number,
  to: number,
  now: number,
  config: LogConfig,
): AbortedTransaction[] {
  const found: AbortedTransaction[] = []
  for (const segment of log.segments.from(from)) {
    for (const transaction of segment.transactions.entries() ?? findAborted(log, segment, now, config)) {
      if (transaction.lastOffset >= from && transaction.firstOffset < to) found.push(transaction)
      if (transaction.lastStableOffset >= to) return found
    }
  }
  return found
}

/** The index of a segment is damaged: the records know. */
function findAborted(log: ProducerSources, segment: Segment, now: number, config: LogConfig): readonly AbortedTransaction[] {
  const states = new ProducerStates()
  rebuildProducerStates({ ...log, states }, segment.baseOffset, now, config)
  const found: AbortedTransaction[] = []
  segment.scan(0, (batch) => {
    const aborted = states.apply(batch)
    if (aborted !== undefined) found.push(aborted)
    return true
  })
  segment.transactions.replace(found)
  return found
}
