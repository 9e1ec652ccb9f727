// What is there at the end: every partition from its beginning, as a reader with isolation.level=read_committed sees it.
import { type ClusterClient, readCommitted } from '@faultline/client'
import { recordDigest } from '@faultline/protocol'
import type { Experiment } from '../experiment/schema.ts'
import type { Read } from '../history/history.ts'

/** A partition that nobody leads cannot be read. */
const LIMIT_MS = 60_000
/** Of a key or a value: what we write is shorter, and what programs write has a digest. */
const KEPT_BYTES = 1024

/** `digests`: each record with its own, by which it is known again at the brokers' edge. */
export async function readEverything(client: ClusterClient, topics: Experiment['topics'], digests = false): Promise<Read[]> {
  const partitions = topics.flatMap((t) => Array.from({ length: t.partitions }, (_, partition) => ({ topic: t.name, partition })))
  return (await Promise.all(partitions.map((p) => readPartition(client, p.topic, p.partition, digests)))).flat()
}

async function readPartition(client: ClusterClient, topic: string, partition: number, digests: boolean): Promise<Read[]> {
  const found: Read[] = []
  const deadline = Date.now() + LIMIT_MS
  const text = new TextDecoder()
  for (let offset = 0; ;) {
    const { records, nextOffset } = await readCommitted(client, topic, partition, offset, () => Date.now() > deadline)
    const at = Date.now()
    for (const r of records)
      found.push({
        op: 'read',
        process: 'final',
        topic,
        partition,
        offset: r.offset,
        key: text.decode(r.key.subarray(0, KEPT_BYTES)),
        value: text.decode(r.value.subarray(0, KEPT_BYTES)),
        at,
        ...(digests ? { digest: recordDigest(r.key, r.value) } : {}),
      })
    if (nextOffset === offset) return found
    offset = nextOffset
  }
}

/** Past the last record of each partition, "orders-0" -> offset. */
export function endsOf(reads: readonly Read[]): ReadonlyMap<string, number> {
  const ends = new Map<string, number>()
  for (const { topic, partition, offset } of reads) ends.set(`${topic}-${partition}`, offset + 1)
  return ends
}
