// Expectations that nothing in an experiment can put to the test: whoever wrote both meant something else.
import type { Expectations, Experiment, Workload } from './schema.ts'

type Kind = Workload['kind']
type Why = (experiment: Experiment) => string | undefined

const has = ({ workload }: Experiment, kinds: readonly Kind[]) => workload.some((w) => kinds.includes(w.kind))
const needs =
  (why: string, ...kinds: readonly Kind[]): Why =>
  (experiment) =>
    has(experiment, kinds) ? undefined : `${why}: add a workload of the kind ${kinds.join(', ')}`

/** A program tells nobody in which order it has read: that it was given records is known. */
const reader = needs('nobody reads whose reads are known', 'group', 'transform', 'mixed')
const given = needs('nobody reads', 'group', 'transform', 'mixed', 'app')
const groups = needs('there is no group', 'group', 'transform', 'mixed', 'app')
const commits = needs('there is no group whose commits are known', 'group', 'mixed', 'app')
const transactions = needs('nothing is written in transactions', 'transform', 'mixed', 'bank', 'app')
const isCopied: Why = ({ topics }) => (topics.every((t) => t.replicas === 1) ? 'each topic has one replica' : undefined)

const WHY: Partial<Record<keyof Expectations, Why>> = {
  vanished: reader,
  nonmonotonicPoll: reader,
  pollSkip: reader,
  unseen: given,
  readAgain: reader,
  nonmonotonicSend: ({ workload }) =>
    workload.every((w) => w.kind === 'producer' && w.acks === 0) ? 'with acks=0 nobody says where a record is' : undefined,
  abortedRead: transactions,
  dirtyRead: (experiment) => transactions(experiment) ?? reader(experiment),
  torn: transactions,
  tornOffsets: needs('no positions are committed in transactions', 'transform', 'mixed', 'app'),
  unbalanced: needs('there is no bank', 'bank'),
  writeCycles: needs('nothing is written in transactions', 'transform', 'mixed', 'bank'),
  circularFlow: needs('nobody reads in transactions', 'mixed', 'transform'),
  twoOwners: given,
  fencedCommit: commits,
  commitBack: groups,
  unreadCommit: needs('there is no program', 'app'),
  divergent: isCopied,
  isrFull: isCopied,
  unavailability: needs('nothing is written outside of transactions', 'producer', 'mixed'),
  lag: groups,
  progress: groups,
  rebalances: groups,
  finishes: needs('there is no program', 'app'),
}

export function untestable(expectation: keyof Expectations, experiment: Experiment): string | undefined {
  return WHY[expectation]?.(experiment)
}
