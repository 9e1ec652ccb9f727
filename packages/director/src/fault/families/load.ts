// Faults of load: clients without manners, from the director, beside those that are well-behaved.
import { connections } from '../load/connections.ts'
import { garbage } from '../load/garbage.ts'
import { hugeRequest } from '../load/huge-request.ts'
import type { LoadKind } from '../load/load-kind.ts'
import { slowReader } from '../load/slow-reader.ts'
import type { FaultFamily, Kind } from '../family.ts'
import { bad } from '../fault-request.ts'

const ALL: readonly (Kind & { readonly load: LoadKind })[] = [
  {
    kind: 'connections',
    what: 'connections are opened and say nothing',
    parameters: [{ name: 'count', what: 'how many to each broker', default: 500, min: 1 }],
    load: connections,
  },
  {
    kind: 'garbage',
    what: 'bytes that are no request, on one connection after the other',
    parameters: [{ name: 'bytes', what: 'how many', default: 1000, min: 1 }],
    load: garbage,
  },
  {
    kind: 'huge-request',
    what: 'a request that says it is too large',
    parameters: [{ name: 'bytes', what: 'how large', default: 2_000_000_000, min: 1 }],
    load: hugeRequest,
  },
  { kind: 'slow-reader', what: 'a client asks and never reads', parameters: [], load: slowReader },
]

export const load: FaultFamily = {
  family: 'load',
  selectors: [],
  beginsAfter: true,
  kinds: ALL.map(({ kind, what, parameters }) => ({ kind, what, parameters })),
  check(request) {
    if (request.when ?? request.nth ?? request.every ?? request.probability)
      throw bad('load has no occasions to choose', 'use --in, --after, --count or --ttl')
    if (request.observe) throw bad('load is made, it does not happen: there is nothing to observe', 'leave --observe out')
  },
  async begin(request, { fleet, named, hit }) {
    const names = request.node === undefined ? fleet.namesOf('broker') : [await named(request.node)]
    if (!names.every((name) => name.startsWith('broker:')))
      throw bad(`${names[0]} serves no clients`, 'use --node broker:N, or none for all')
    const { load: kind, parameters } = ALL.find((k) => k.kind === request.kind)!
    const parameter = (name: string) => Number(request.with[name] ?? parameters.find((p) => p.name === name)!.default)
    const { clientAddresses: addresses } = fleet
    const stops = fleet.namesOf('broker').flatMap((name, i) => {
      if (!names.includes(name)) return []
      const [host, port] = addresses[i]!.split(':')
      const tell = (fields: Readonly<Record<string, unknown>>) => hit({ ...fields, to: name })
      return [kind.start({ host: host!, port: Number(port) }, parameter, tell)]
    })
    return {
      nodes: names,
      heal: async () => {
        for (const stop of stops) stop()
      },
    }
  },
}
