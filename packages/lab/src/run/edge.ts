// What brokers have noted of clients, read back when the load is over: one request a line in edge.jsonl, and those that are not our own, by time.
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import type { ClusterControl, EdgeLine } from '@faultline/director'
import type { EdgeRequest } from '../history/edge-request.ts'
import { isOurs } from '../workloads/client-ids.ts'

export interface EdgeRead {
  /** Of clients that are not the lab's. */
  readonly requests: readonly EdgeRequest[]
  /** Brokers whose record was full before the load had ended. */
  readonly full: readonly string[]
}

/** `file`: edge.jsonl. `copyOf`: which copy of a program has, or had, this address. */
export async function readEdge(
  cluster: Pick<ClusterControl, 'edge'>,
  file: string,
  copyOf: (remote: string) => string | undefined,
): Promise<EdgeRead> {
  const requests: EdgeRequest[] = []
  const full = new Set<string>()
  let began: number | undefined
  const out = createWriteStream(file)
  for await (const line of wholeLines(cluster.edge())) {
    if (line['full'] === true) full.add(line.node)
    const { life: _, number: __, ...rest } = line
    const request = { ...rest, who: whoOf(line as unknown as EdgeRequest, copyOf) } as unknown as EdgeRequest
    if (!out.write(`${JSON.stringify(request)}\n`)) await once(out, 'drain')
    if (request.who === 'lab' || line.number === undefined) continue
    // Between brokers what counts is finer than a millisecond.
    began ??= line.t - line.mono
    requests.push({ ...request, t: began + line.mono })
  }
  await new Promise((resolve) => out.end(resolve))
  return { requests: requests.sort((a, b) => a.mono - b.mono), full: [...full] }
}

function whoOf({ client, remote }: EdgeRequest, copyOf: (remote: string) => string | undefined): string {
  return isOurs(client) ? 'lab' : (copyOf(remote) ?? 'app')
}

/** A request that was noted when it came, and again when it ended, is the latter; one without an end is what its broker died over. */
async function* wholeLines(lines: AsyncIterable<EdgeLine>): AsyncGenerator<EdgeLine> {
  const open = new Map<string, EdgeLine>()
  for await (const line of lines) {
    const key = `${line.node} ${line.life} ${line.number}`
    open.delete(key)
    if (line['left'] === undefined && line['full'] === undefined) open.set(key, line)
    else yield line
  }
  yield* open.values()
}
