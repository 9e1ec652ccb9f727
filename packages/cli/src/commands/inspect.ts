// faultline status, nodes, logs.
import { existsSync, readFileSync } from 'node:fs'
import { Refusal } from '@faultline/base'
import { Cluster, ClusterFolder, type NodeReport } from '@faultline/director'
import { print, printJson, table } from '../output.ts'
import { NodeContainer } from '../docker.ts'
import { attach, type Target } from '../target.ts'
import { nodeTable } from './up.ts'
import { watchStatus } from './watch-status.ts'

interface Options extends Target {
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

export async function nodes(options: Options): Promise<void> {
  const views = await attach(options).nodes()
  if (options.output === 'json') printJson(views)
  else print(nodeTable(views))
}

export async function status(options: Options & { readonly watch: boolean }): Promise<void> {
  if (options.watch) return watchStatus(options)
  const reports = await attach(options).status()
  if (options.output === 'json') return printJson(reports)
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

export async function logs(node: string, { dir, at, output, lines }: Options & { readonly lines: number }): Promise<void> {
  const text = at === undefined ? await logOf(new ClusterFolder(dir), node, lines) : await logOfContainer(at, node, lines)
  if (output === 'json') printJson(text)
  else print(text.join('\n'))
}

async function logOf(folder: ClusterFolder, node: string, lines: number): Promise<string[]> {
  const log = folder.log(await nameOf(folder, node))
  if (!existsSync(log)) {
    const advice = 'in containers: docker compose -f docker/compose.yaml logs broker-1; or from the machine of Docker, with --at'
    throw new Refusal('BAD_ARGUMENT', `${log} is not there`, advice)
  }
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines)
}

async function logOfContainer(at: string, node: string, lines: number): Promise<string[]> {
  const cluster = attach({ dir: '', at })
  const [{ name }, { containers }] = [await cluster.find(node), await cluster.info()]
  if (containers) return (await (await NodeContainer.of(name, containers.director)).logs(lines)).split('\n')
  throw new Refusal('BAD_ARGUMENT', `the logs of the cluster at ${at} are files`, 'read them on its machine, with --dir FOLDER')
}

/** A role needs a running cluster; a node's log can be read when nothing runs any more. */
async function nameOf(folder: ClusterFolder, node: string): Promise<string> {
  const names = folder.describe().nodes.map((n) => `${n.role}:${n.id}`)
  if (names.includes(node)) return node
  if (folder.supervisor()) return (await Cluster.attach(folder.path).find(node)).name
  throw new Refusal('UNKNOWN_NODE', `${node} is no node of this cluster`, `use one of ${names.join(', ')}`)
}
