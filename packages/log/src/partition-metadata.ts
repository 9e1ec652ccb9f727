// partition.metadata: the id of the topic that a partition folder belongs to, so that a topic deleted and made again under the same name
// is not taken for the old one (KIP-516).
import type { Disk } from '@faultline/base'
import type { Uuid } from '@faultline/protocol'
import { readWhole, writeWhole } from './files.ts'

export const PARTITION_METADATA_FILE = 'partition.metadata'

/** Not yet durable: the log's first flush sees to that, so that making a topic waits for no disk. */
export function writePartitionMetadata(disk: Disk, directory: string, topicId: Uuid): void {
  const text = `version: 0\ntopic_id: ${topicId}\n`
  writeWhole(disk, `${directory}/${PARTITION_METADATA_FILE}`, new TextEncoder().encode(text), false)
}

/** Undefined when it is absent or empty, as a power loss just after the topic was made may leave it. */
export function readPartitionMetadata(disk: Disk, directory: string): Uuid | undefined | 'damaged' {
  const bytes = readWhole(disk, `${directory}/${PARTITION_METADATA_FILE}`)
  if (bytes === undefined || bytes.every((byte) => byte === 0)) return undefined
  const match = /^version: 0\ntopic_id: ([\w-]{22})\n*$/.exec(new TextDecoder().decode(bytes))
  return match?.[1] ?? 'damaged'
}

export function syncPartitionMetadata(disk: Disk, directory: string): void {
  const path = `${directory}/${PARTITION_METADATA_FILE}`
  if (!disk.exists(path)) return
  const file = disk.open(path, 'rw')
  try {
    file.sync()
  } finally {
    file.close()
  }
}
