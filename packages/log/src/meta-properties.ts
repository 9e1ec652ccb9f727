// meta.properties: whose folder this is. A node starts on its own folder or on an empty one, never on another's.
import { Refusal, type Disk } from '@faultline/base'
import type { Uuid } from '@faultline/protocol'
import { parentOf, readWhole, replaceWhole } from './files.ts'

export const META_PROPERTIES_FILE = 'meta.properties'
const VERSION = '1'

export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: Uuid
}

/** Undefined when there is none yet. Throws a Refusal for a folder that is not ours to use. */
export function readMetaProperties(
  disk: Disk,
  path: string,
  expected: Omit<MetaProperties, 'directoryId'>,
): MetaProperties | undefined {
  const bytes = readWhole(disk, `${path}/${META_PROPERTIES_FILE}`)
  if (bytes === undefined) {
    refuseStrangers(disk, path)
    return undefined
  }
  const properties = parse(new TextDecoder().decode(bytes))
  const version = properties.get('version')
  if (version !== VERSION)
    throw foreign(path, `its meta.properties has version ${version}, and this program knows version ${VERSION}`)
  const [clusterId, nodeId, directoryId] = ['cluster.id', 'node.id', 'directory.id'].map((name) => properties.get(name))
  if (clusterId !== expected.clusterId) throw foreign(path, `it belongs to cluster ${clusterId}, not to ${expected.clusterId}`)
  if (nodeId !== String(expected.nodeId)) throw foreign(path, `it belongs to node ${nodeId}, not to node ${expected.nodeId}`)
  if (directoryId === undefined) throw foreign(path, 'its meta.properties names no directory.id')
  return { clusterId, nodeId: expected.nodeId, directoryId }
}

export function writeMetaProperties(disk: Disk, path: string, { clusterId, nodeId, directoryId }: MetaProperties): void {
  const text = `cluster.id=${clusterId}\ndirectory.id=${directoryId}\nnode.id=${nodeId}\nversion=${VERSION}\n`
  replaceWhole(disk, `${path}/${META_PROPERTIES_FILE}`, new TextEncoder().encode(text), true)
  disk.syncDirectory(path)
  disk.syncDirectory(parentOf(path))
}

/** Files in a folder without meta.properties are somebody else's. Hidden ones, such as lost+found and an editor's, do no harm. */
function refuseStrangers(disk: Disk, path: string): void {
  const strangers = disk.list(path).filter((name) => !name.startsWith('.') && !name.endsWith('.tmp') && name !== 'lost+found')
  if (strangers.length === 0) return
  const some = strangers.slice(0, 3).join(', ')
  throw foreign(
    path,
    `it has no ${META_PROPERTIES_FILE}, but ${strangers.length} other entries (${some}${strangers.length > 3 ? ', …' : ''})`,
  )
}

function parse(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.includes('=') && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]))
}

function foreign(path: string, why: string): Refusal {
  return new Refusal(
    'FOLDER_FOREIGN',
    `The data folder ${path} cannot be used: ${why}.`,
    'Give another folder, or empty this one if nothing in it is needed.',
  )
}
