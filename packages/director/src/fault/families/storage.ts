// Faults of disks act in brokers on the files of their logs, and in controllers on what the quorum keeps.
import { armNodes, nodeFault } from '../node-faults.ts'
import type { BeginContext, FaultFamily } from '../family.ts'
import { bad, type FaultRequest, isUnconditional } from '../fault-request.ts'

const FILES = ['log', 'index', 'checkpoint', 'snapshot', 'raft', 'other']
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
      what: 'reads, writes or syncs of logs take their time; whoever needs them waits, the node goes on',
      parameters: [
        { ...operation, oneOf: ['any', 'read', 'write', 'sync'] },
        { name: 'ms', what: 'how long', default: 100 },
      ],
    },
    { kind: 'torn-write', what: 'the node dies in the middle of a write', parameters: [] },
    {
      kind: 'lose-unsynced',
      what: 'killed meanwhile, the node loses what it had written and not synced, as with the power',
      parameters: [{ name: 'age', what: 'milliseconds after which the system has written it back', default: 30_000 }],
    },
    {
      kind: 'bit-flip',
      what: 'a bit of what is written is wrong on the disk',
      parameters: [{ name: 'seed', what: 'of the bit', default: 0 }],
    },
  ],
  check({ kind, where: { file, topic, partition } }) {
    if (file !== undefined && !FILES.includes(file)) throw bad(`there are no "${file}" files`, `use one of ${FILES.join(', ')}`)
    if (kind === 'slow' && file !== undefined && file !== 'log' && file !== 'raft')
      throw bad(`nobody waits for ${file} files`, 'slow disks are felt in files of the kinds log and raft')
    if (partition !== undefined && topic === undefined) throw bad('a partition has files only with its topic', 'use --topic, too')
  },
  async begin(request, context) {
    const { file, topic } = request.where
    const names =
      request.node === undefined
        ? context.fleet.namesOf(file === 'raft' ? 'controller' : 'broker')
        : [await context.named(request.node)]
    const [first] = names
    const isRaft = first!.startsWith('controller')
    if (file !== undefined && isRaft !== (file === 'raft'))
      throw bad(`${first} has no ${file} files`, 'controllers have raft files, brokers all others')
    if (request.kind === 'lose-unsynced') checkPowerLoss(request, isRaft)
    if (isRaft && topic !== undefined) throw bad(`${first} has no files of topics`, 'use --node broker:N')
    if (request.kind === 'full' && isUnconditional(request)) claimFiles(request, names, context)
    return armNodes(nodeFault('storage', request.kind, context.id, request), names, context)
  },
}

/** Its moment is that of the kill. */
function checkPowerLoss({ when, nth, every, probability, after }: FaultRequest, isRaft: boolean): void {
  if (isRaft) throw bad('the quorum syncs all that it writes: there is nothing to lose', 'use --node broker:N')
  if (when ?? nth ?? every ?? probability ?? after)
    throw bad('lose-unsynced is armed until the node is killed', 'give the condition to the fault that kills it')
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
