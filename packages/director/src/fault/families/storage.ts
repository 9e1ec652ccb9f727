// Faults of disks act in brokers, on operations on the files of their logs.
import { armNodes, nodeFault } from '../node-faults.ts'
import type { FaultFamily } from '../family.ts'
import { bad } from '../fault-request.ts'

const FILES = ['log', 'index', 'checkpoint', 'snapshot', 'other']
const OPERATIONS = ['any', 'open', 'read', 'write', 'sync', 'truncate', 'rename', 'remove']
const operation = { name: 'operation', what: 'which operations', default: 'any', oneOf: OPERATIONS }

export const storage: FaultFamily = {
  family: 'storage',
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
  async begin(request, context) {
    const { file } = request.where
    if (file !== undefined && !FILES.includes(file))
      throw bad(
        file === 'raft' ? "the quorum's files are not behind this port" : `there are no "${file}" files`,
        `use one of ${FILES.join(', ')}`,
      )
    const names = request.node === undefined ? context.fleet.namesOf('broker') : [await context.named(request.node)]
    if (!names.every((name) => name.startsWith('broker:')))
      throw bad(`${names[0]} has no logs`, 'storage faults act in brokers: use --node broker:N')
    return armNodes(nodeFault('storage', request.kind, context.id, request), names, context)
  },
}
