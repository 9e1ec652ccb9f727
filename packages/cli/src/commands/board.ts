// The board of status --watch: partitions by brokers, a letter for how each replica is. Only what is shown is here, no asking.
import type { NodeReport } from '@faultline/director'
import { table } from '../output.ts'

/** As the metadata has it. */
interface KnownPartition {
  readonly partition: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly leader: number
  readonly leaderEpoch: number
}

/** As the broker that hosts it has it. */
interface HostedReplica {
  readonly topic: string
  readonly partition: number
  readonly leads: boolean
  readonly logEndOffset: number
}

export interface Cell {
  readonly broker: number
  readonly state: 'leader' | 'in-sync' | 'lagging' | 'offline'
  /** Records behind the leader; null when one of the two does not say where it is. */
  readonly lag: number | null
}

export interface Row {
  readonly topic: string
  readonly partition: number
  readonly epoch: number
  readonly leader: number
  readonly cells: readonly Cell[]
  readonly problem: '' | 'under-replicated' | 'offline'
}

export interface Board {
  readonly nodes: readonly { readonly name: string; readonly state: string }[]
  readonly brokers: readonly number[]
  readonly rows: readonly Row[]
}

const SERVING: ReadonlySet<string> = new Set(['running', 'stopping'])

/** Of the active controller's metadata; while there is none, of the controller's that knows most. */
export function boardOf(reports: readonly NodeReport[]): Board {
  const brokers = reports.filter((r) => r.role === 'broker')
  const hosted = new Map(
    brokers.flatMap((broker) =>
      ((broker.report?.partitions ?? []) as HostedReplica[]).map((r) => [`${broker.id} ${r.topic}-${r.partition}`, r] as const),
    ),
  )
  const alive = new Set(brokers.filter((b) => SERVING.has(b.state)).map((b) => b.id))
  const rows = topicsOf(reports).flatMap(({ name, partitions }) =>
    partitions.map((known) => rowOf(name, known, alive, (id) => hosted.get(`${id} ${name}-${known.partition}`))),
  )
  return {
    nodes: reports.map(({ name, state }) => ({ name, state })),
    brokers: brokers.map((b) => b.id),
    rows: rows.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition),
  }
}

function topicsOf(reports: readonly NodeReport[]): { name: string; partitions: KnownPartition[] }[] {
  const controllers = reports.filter((r) => r.role === 'controller' && r.report)
  const knows = ({ state, report }: NodeReport) => (state === 'active' ? Infinity : Number(report!.metadataOffset ?? -1))
  const [best] = controllers.sort((a, b) => knows(b) - knows(a))
  return (best?.report?.topics ?? []) as { name: string; partitions: KnownPartition[] }[]
}

function rowOf(
  topic: string,
  { partition, replicas, isr, leader, leaderEpoch }: KnownPartition,
  alive: ReadonlySet<number>,
  hosted: (broker: number) => HostedReplica | undefined,
): Row {
  const end = hosted(leader)?.logEndOffset
  const cells = replicas.map((broker): Cell => {
    const own = hosted(broker)?.logEndOffset
    const lag = end === undefined || own === undefined ? null : Math.max(0, end - own)
    if (!alive.has(broker)) return { broker, state: 'offline', lag }
    if (broker === leader) return { broker, state: 'leader', lag }
    return { broker, state: isr.includes(broker) ? 'in-sync' : 'lagging', lag }
  })
  const led = leader >= 0 && alive.has(leader)
  const problem = !led ? 'offline' : isr.length < replicas.length ? 'under-replicated' : ''
  return { topic, partition, epoch: leaderEpoch, leader, cells, problem }
}

const LETTERS: Readonly<Record<Cell['state'], string>> = { leader: 'L', 'in-sync': 's', lagging: 'o', offline: 'x' }
const LEGEND = 'L leader   s in sync   o lagging   x offline   LAG: records that the last replica is behind'

/** In at most `height` lines and `width` columns; partitions in trouble come first when not all have room. */
export function boardText(board: Board, events: readonly string[], height: number, width: number): string {
  const head = ['controller', 'broker'].map((role) => nodeLine(board, role))
  const shownEvents = events.slice(-Math.max(3, Math.floor(height / 4)))
  const foot = shownEvents.length === 0 ? [] : ['', ...shownEvents]
  // Beside the rows: an empty line, the head of the table, what is left out, and the legend.
  const room = Math.max(3, height - head.length - foot.length - 4)
  const rows = fitting(board.rows, room)
  const left = board.rows.length - rows.length
  const body =
    rows.length === 0
      ? ['no topics yet']
      : [...partitionTable(board.brokers, rows).split('\n'), ...(left > 0 ? [`and ${more(left, board, rows)}`] : []), LEGEND]
  return [...head, '', ...body, ...foot].map((line) => line.slice(0, width)).join('\n')
}

function nodeLine({ nodes }: Board, role: string): string {
  const ofRole = nodes.filter(({ name }) => name.startsWith(`${role}:`))
  return `${`${role}s`.padEnd(13)}${ofRole.map(({ name, state }) => `${name.slice(role.length + 1)} ${state}`).join('   ')}`
}

function fitting(rows: readonly Row[], room: number): readonly Row[] {
  if (rows.length <= room) return rows
  const troubled = rows.filter((r) => r.problem !== '')
  return [...troubled, ...rows.filter((r) => r.problem === '')].slice(0, room)
}

function more(left: number, { rows }: Board, shown: readonly Row[]): string {
  const troubled = rows.filter((r) => r.problem !== '').length - shown.filter((r) => r.problem !== '').length
  return troubled === 0 ? `${left} more, all in sync` : `${left} more, ${troubled} of them in trouble`
}

function partitionTable(brokers: readonly number[], rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    `${row.topic}-${row.partition}`,
    row.epoch,
    ...brokers.map((id) => letterOf(row.cells.find((c) => c.broker === id))),
    lagOf(row),
    row.problem,
  ])
  return table(['PARTITION', 'EPOCH', ...brokers.map(String), 'LAG', ''], lines)
}

function letterOf(cell: Cell | undefined): string {
  return cell ? LETTERS[cell.state] : '.'
}

/** Of replicas that can catch up. */
function lagOf({ cells }: Row): string {
  const lags = cells.filter((c) => c.state !== 'offline').map((c) => c.lag)
  return lags.includes(null) || lags.length === 0 ? '?' : String(Math.max(...(lags as number[])))
}
