// Faults of disks act in brokers, on operations on the files of their logs.
import { armNodes, nodeFault } from '../node-faults.ts'
import type { BeginContext, FaultFamily } from '../family.ts'
import { bad, type FaultRequest, isUnconditional } from '../fault-request.ts'

const FILES = ['log', 'index', 'checkpoint', 'snapshot', 'other']
const OPERATIONS = ['any', 'open', 'read', 'write', 'sync', 'truncate', 'rename', 'remove']
const operation = { name: 'operation', what: 'which operations', default: 'any', oneOf: OPERATIONS }

export const storage: FaultFamily = {
  family: 'storage',
  selectors: ['file', 'topic', 'partition'],
  kinds: [
    { kind: 'full', what: 'nothing can be written or made any more', parameters: [] },
    { kind: 'io-error', what: 'an operation fails', parameters: [operation] },
    {
      kind: 'slow',
      what: 'an operation takes its time, and the node with it',
      parameters: [operation, { name: 'ms', what: 'how long', default: 100 }],
    },
    { kind: 'torn-write', what: 'the node dies in the middle of a write', parameters: [] },
    {
      kind: 'bit-flip',
      what: 'a bit of what is written is wrong on the disk',
      parameters: [{ name: 'seed', what: 'of the bit', default: 0 }],
    },
  ],
  check({ where: { file, topic, partition } }) {
    if (file !== undefined && !FILES.includes(file))
      throw bad(
        file === 'raft' ? "the quorum's files are not behind this port" : `there are no "${file}" files`,
        `use one of ${FILES.join(', ')}`,
      )
    if (partition !== undefined && topic === undefined) throw bad('a partition has files only with its topic', 'use --topic, too')
  },
  async begin(request, context) {
    const names =
      request.node === undefined ? context.fleet.namesOf('broker') : [(await context.fleet.resolve(request.node)).name]
    if (!names.every((name) => name.startsWith('broker:')))
      throw bad(`${names[0]} has no logs`, 'storage faults act in brokers: use --node broker:N')
    if (request.kind === 'full' && isUnconditional(request)) claimFiles(request, names, context)
    return armNodes(nodeFault('storage', request.kind, context.id, request), names, context)
  },
}

/** A disk that is full for files of all topics is full for those of one. */
function claimFiles({ where }: FaultRequest, names: readonly string[], { claim }: BeginContext): void {
  const { file, topic, partition } = where
  const files = names.flatMap((name) => (file === undefined ? FILES : [file]).map((f) => `the ${f} files of ${name}`))
  claim(files, topic === undefined ? 'exclusive' : 'shared')
  if (topic === undefined) return
  const parts = files.map((f) => `${f} for ${topic}`)
  claim(parts, partition === undefined ? 'exclusive' : 'shared')
  if (partition === undefined) return
  claim(
    parts.map((p) => `${p}-${partition}`),
    'exclusive',
  )
}
