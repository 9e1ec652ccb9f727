// Faults of processes: a node is ended, stopped in its tracks, started again, or loses its disk. With a condition, in the moment in which it
// comes true.
import { type Fleet, PROCESS_VERBS, type ProcessVerb } from '../../fleet.ts'
import { armNodes, HOLD_MS, nodeFault } from '../node-faults.ts'
import type { Begun, BeginContext, FaultFamily, Kind } from '../family.ts'
import { bad, type FaultRequest } from '../fault-request.ts'
import { roll, ROLL_TARGETS } from '../roll.ts'
import { checkDisks, wipe } from '../wipe.ts'
import { AT_POINT, beginAtPoint, checkAtPoint } from './at-point.ts'
import { vantageOf } from '../vantage.ts'

const KINDS: readonly Kind[] = [
  { kind: 'kill', what: 'SIGKILL; healed, it is started again', parameters: [] },
  { kind: 'terminate', what: 'an orderly stop (controlled shutdown); healed, it is started again', parameters: [] },
  { kind: 'pause', what: 'SIGSTOP: it holds its connections and does nothing; healed, it goes on', parameters: [] },
  { kind: 'restart', what: 'an orderly stop, and a start', parameters: [] },
  {
    kind: 'roll',
    what: 'one node after the other is restarted, each when all before it are in sync again; healed, it stops with the node that it is at',
    parameters: [{ name: 'target', what: 'which nodes', default: 'brokers', oneOf: ROLL_TARGETS }],
  },
  {
    kind: 'wipe',
    what: 'a broker is stopped, loses its disk, and starts with an empty one',
    parameters: [{ name: 'force', what: 'also where the last in-sync copy goes', default: 'false', oneOf: ['true', 'false'] }],
  },
]

const isAtPoint = (kind: string) => AT_POINT.some((k) => k.kind === kind)
const isVerb = (kind: string): kind is ProcessVerb => PROCESS_VERBS.some((verb) => verb === kind)

export const process: FaultFamily = {
  family: 'process',
  kinds: [...KINDS, ...AT_POINT],
  selectors: ['point'],
  check(request) {
    const { kind, node, nth, every, probability, count, where } = request
    if (isAtPoint(kind)) return checkAtPoint(request)
    if (where.point !== undefined)
      throw bad(`${kind} does not wait for a point in the code`, 'use crash-at-point or pause-at-point')
    if (kind === 'roll' && node !== undefined)
      throw bad('a roll is of many nodes', 'use --with target=brokers, controllers or all')
    if (kind === 'roll' && count !== undefined) throw bad('a roll is one, and over when its nodes are done', 'leave --count out')
    if (kind !== 'roll' && node === undefined)
      throw bad(`process ${kind} needs a node`, 'use --node broker:2 or --node leader:orders-0')
    if (nth ?? every ?? probability)
      throw bad('nth, every and probability choose among requests: a process has none', 'use --when, --in or --after')
    if (kind === 'wipe' && node?.startsWith('controller:'))
      throw bad(
        `${node} would forget whom it voted for, and with it what the quorum has promised: two controllers could lead in one term`,
        "Kafka, too, has to be given a new voter instead (KIP-853), and this quorum's voters are fixed: restart or kill it",
      )
  },
  checkWorld({ kind, node }, fleet) {
    if (kind === 'wipe') checkDisks(fleet)
    if (!isAtPoint(kind)) fleet.checkActs(node, isVerb(kind) ? kind : undefined)
  },
  async begin(request, context) {
    if (isAtPoint(request.kind)) return beginAtPoint(request, context)
    const { struck, again } = context
    const strike = request.kind === 'roll' ? rolling(request, context) : striking(request, context)
    const heal = async () => {
      strike.stop()
      await undo(context.fleet, struck)
    }
    if (request.when !== undefined || request.after !== undefined) return watch(request, context, strike.now, heal)
    const nodes = again ? [...struck] : await strike.now()
    return { nodes, lasts: true, heal }
  },
}

interface Strike {
  /** Resolves with the nodes that it is done to. */
  readonly now: () => Promise<readonly string[]>
  readonly stop: () => void
}

function striking({ kind, node: selector, observe, with: given }: FaultRequest, context: BeginContext): Strike {
  const { fleet, hit, struck } = context
  const now = async () => {
    const node = await fleet.resolve(selector!)
    if (!observe) {
      const done = () => struck.add(node.name)
      if (kind === 'wipe') await wipe(fleet, node, String(given['force']) === 'true', done)
      else await fleet.act(kind as ProcessVerb, node).then(done)
    }
    hit({ node: node.name })
    return [node.name]
  }
  return { now, stop: () => {} }
}

/** It goes on by itself; nobody waits for its end. */
function rolling({ observe, with: given }: FaultRequest, context: BeginContext): Strike {
  let stopped = false
  let begun = false
  const now = async () => {
    if (begun) throw bad('it is rolling already', 'one roll is one fault')
    begun = true
    const nodes = await roll(context, String(given['target'] ?? 'brokers'), observe, () => stopped)
    return nodes.map((n) => n.name)
  }
  return { now, stop: () => (stopped = true) }
}

/** Those who own the state watch it; when one reports, it is done. */
async function watch(
  request: FaultRequest,
  context: BeginContext,
  strike: Strike['now'],
  heal: () => Promise<void>,
): Promise<Begun> {
  const names = request.when === undefined ? [] : context.fleet.namesOf(vantageOf(request.when))
  // Its count is one of deeds, not of moments: what comes too late for one is tried again. What it only observes, nothing need be held for.
  const { count: _, observe, ...uncounted } = request
  const watched = { ...uncounted, observe: false, where: {}, with: { hold: observe ? 0 : HOLD_MS } }
  const begun = await armNodes(nodeFault('watch', 'notify', context.id, watched), names, context)
  return {
    ...begun,
    lasts: true,
    actsHere: true,
    onNotice: (node) =>
      void strike()
        .catch((error: Error) => context.miss({ node, reason: error.message }))
        .then(() => node && context.fleet.manage(node, { verb: 'release' })),
    heal: async () => {
      await begun.heal()
      await heal()
    },
  }
}

async function undo(fleet: Fleet, struck: ReadonlySet<string>): Promise<void> {
  for (const name of struck) {
    const node = await fleet.resolve(name)
    if (node.state === 'paused') await fleet.resume(node)
    else if (node.state === 'exited') await fleet.start(node)
  }
}
