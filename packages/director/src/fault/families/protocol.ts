// Faults of the protocol act in brokers, on requests as they come.
import { APIS, apiVersions, Errors, metadata } from '@faultline/protocol'
import type { FaultFamily } from '../family.ts'
import { bad } from '../fault-request.ts'
import { armNodes, nodeFault } from '../node-faults.ts'

/** An answer that waits goes on waiting when no other is to. */
const LASTING = ['delay', 'blackhole', 'lose-reply']

const stage = { name: 'stage', what: 'before or after the request is handled', default: 'before', oneOf: ['before', 'after'] }

export const protocol: FaultFamily = {
  family: 'protocol',
  selectors: ['apis', 'topic', 'partition', 'group', 'transactionalId', 'clientId'],
  kinds: [
    {
      kind: 'error',
      what: 'an error is answered: instead of what was asked, or although it was done',
      parameters: [{ name: 'error', what: "Kafka's name of it", default: 'UNKNOWN_SERVER_ERROR' }, stage],
    },
    {
      kind: 'delay',
      what: 'a request is handled late, or its answer leaves late',
      parameters: [{ name: 'ms', what: 'how late', default: 1000 }, stage],
    },
    {
      kind: 'lose-reply',
      what: 'what was asked is done, and the client never hears of it',
      parameters: [
        {
          name: 'mode',
          what: 'the connection closes, or this answer and all after it are withheld',
          default: 'close',
          oneOf: ['close', 'withhold'],
        },
      ],
    },
    { kind: 'disconnect', what: 'the connection is closed when the request arrives', parameters: [] },
    { kind: 'blackhole', what: 'the request is swallowed, and all after it on its connection', parameters: [] },
    { kind: 'duplicate', what: 'the request is delivered twice', parameters: [] },
    {
      kind: 'metadata',
      what: 'Metadata answers what is not true',
      parameters: [
        {
          name: 'mode',
          what: 'what was true when first asked, another replica as the leader, or none',
          default: 'stale',
          oneOf: ['stale', 'wrong-leader', 'no-leader'],
        },
      ],
    },
    {
      kind: 'cap-versions',
      what: 'ApiVersions says that an API is served up to a lower version only',
      parameters: [
        { name: 'api', what: 'its name' },
        { name: 'max', what: 'the version', default: 0 },
      ],
    },
  ],
  check(request) {
    const { kind, where, with: given } = request
    for (const name of where.apis ?? []) checkApi(name)
    const only = kind === 'metadata' ? metadata.name : kind === 'cap-versions' ? apiVersions.name : undefined
    if (only !== undefined && where.apis && !where.apis.includes(only))
      throw bad(`${kind} acts on ${only} alone, which is not among ${where.apis.join(', ')}`, 'leave --api out')
    if (kind === 'error') checkError(String(given['error'] ?? 'UNKNOWN_SERVER_ERROR'))
    if (kind === 'cap-versions') checkApi(given['api'] === undefined ? undefined : String(given['api']))
  },
  async begin(request, context) {
    const { fleet } = context
    const names = request.node === undefined ? fleet.namesOf('broker') : [await context.named(request.node)]
    if (!names.every((name) => name.startsWith('broker:')))
      throw bad(`${names[0]} serves no clients`, 'protocol faults act in brokers: use --node broker:N, or none for all')
    const begun = await armNodes(nodeFault('protocol', request.kind, context.id, request), names, context)
    return { ...begun, lasts: LASTING.includes(request.kind) }
  },
}

function checkApi(name: string | undefined): void {
  if (name === undefined) throw bad('cap-versions needs an API', 'as in: --with api=Produce --with max=7')
  if (APIS.some((api) => api.name === name)) return
  const near = APIS.filter((api) => api.name.toLowerCase().startsWith(name.slice(0, 3).toLowerCase())).map((api) => api.name)
  throw bad(
    `there is no API "${name}"`,
    `write it as Kafka does: ${(near.length > 0 ? near : APIS.map((api) => api.name)).join(', ')}`,
  )
}

function checkError(name: string): void {
  if (name === 'NONE' || !(name in Errors)) throw bad(`"${name}" is no error of Kafka`, 'write it like NOT_LEADER_OR_FOLLOWER')
}
