// faultline status, nodes, logs.
import { readFileSync } from 'node:fs'
import { Refusal } from '@faultline/base'
import { Cluster, ClusterFolder, type NodeReport } from '@faultline/director'
import { print, printJson, table } from '../output.ts'
import { nodeTable } from './up.ts'
import { watchStatus } from './watch-status.ts'

interface Options {
  readonly dir: string
  readonly output: 'text' | 'json'
}

interface Replica {
  readonly topic: string
  readonly partition: number
  readonly leads: boolean
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
  readonly highWatermark: number
  readonly logEndOffset: number
}

export async function nodes({ dir, output }: Options): Promise<void> {
  const views = await Cluster.attach(dir).nodes()
  if (output === 'json') printJson(views)
  else print(nodeTable(views))
}

export async function status({ dir, output, watch }: Options & { readonly watch: boolean }): Promise<void> {
  if (watch) return watchStatus({ dir, output })
  const reports = await Cluster.attach(dir).status()
  if (output === 'json') return printJson(reports)
  print(nodeTable(reports))
  const led = reports.flatMap((r) => partitionsOf(r).filter((p) => p.leads))
  if (led.length === 0) return
  const rows = led
    .sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
    .map((p) => [
      `${p.topic}-${p.partition}`,
      p.leader,
      p.leaderEpoch,
      list(p.replicas),
      list(p.isr),
      p.highWatermark,
      p.logEndOffset,
      p.isr.length < p.replicas.length ? 'under-replicated' : '',
    ])
  print(`\n${table(['PARTITION', 'LEADER', 'EPOCH', 'REPLICAS', 'ISR', 'HW', 'LEO', ''], rows)}`)
}

function partitionsOf({ report }: NodeReport): readonly Replica[] {
  return (report?.partitions ?? []) as readonly Replica[]
}

function list(ids: readonly number[]): string {
  return ids.join(',')
}

export async function logs(node: string, { dir, output, lines }: Options & { readonly lines: number }): Promise<void> {
  const folder = new ClusterFolder(dir)
  const text = readFileSync(folder.log(await nameOf(folder, node)), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-lines)
  if (output === 'json') printJson(text)
  else print(text.join('\n'))
}

/** A role needs a running cluster; a node's log can be read when nothing runs any more. */
async function nameOf(folder: ClusterFolder, node: string): Promise<string> {
  const names = folder.describe().nodes.map((n) => `${n.role}:${n.id}`)
  if (names.includes(node)) return node
  if (folder.supervisor()) return (await Cluster.attach(folder.path).find(node)).name
  throw new Refusal('UNKNOWN_NODE', `${node} is no node of this cluster`, `use one of ${names.join(', ')}`)
}
