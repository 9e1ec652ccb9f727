// What can be pointed at in a report: errors that clients were answered, hits of faults, elections, and what checkers found. Each says where it was,
// so that what explains it can be found.
import type { ClusterEvent } from '@faultline/director'
import type { Verdict } from '../run/verdict.ts'

export interface Happening {
  readonly at: number
  readonly label: string
  /** As many, alike, came close together. */
  readonly count: number
  /** "broker:2" */
  readonly node?: string
  readonly api?: string
  /** "orders-0" */
  readonly partition?: string
  readonly group?: string
}

/** Times in milliseconds since the load began. */
export type Since = (t: number) => number

const ERRORS_SHOWN = 2000
const HITS_SHOWN = 2000
const REBALANCES_SHOWN = 1000
const FIRST_WIDTH_MS = 50

export function errorsIn(events: readonly ClusterEvent[], since: Since): Happening[] {
  const errors = events.filter((e) => e.event === 'client.error')
  const of = (e: ClusterEvent) => ({ ...happening(e, since, errorText(e)), count: 1 + Number(e['repeated'] ?? 0) })
  return gathered(errors.map(of), ERRORS_SHOWN)
}

function errorText(e: ClusterEvent): string {
  const at = partitionOf(e) ?? e['group'] ?? e['transactionalId'] ?? e['topic']
  return `${e['api']} of ${e['client']}: ${e['error']}${at === undefined ? '' : ` on ${at}`}`
}

/** Of all faults together. */
export function hitsIn(events: readonly ClusterEvent[], since: Since): (Happening & { readonly fault: string })[] {
  const of = (e: ClusterEvent) => {
    const at = [e.node, e['api'], partitionOf(e)].filter((part) => part !== undefined).join(', ')
    return { ...happening(e, since, `${e['fault']} hits ${at}`), fault: String(e['fault']) }
  }
  return gathered(events.filter((e) => e.event === 'fault.hit').map(of), HITS_SHOWN)
}

export function rebalancesIn(events: readonly ClusterEvent[], since: Since): Happening[] {
  const states = events.filter((e) => e.event === 'group.state' && /Rebalance|Reconciling|Assigning/.test(String(e['state'])))
  const text = (e: ClusterEvent) => `${e['group']}: ${e['state']}${e['reason'] === undefined ? '' : ` (${e['reason']})`}`
  return gathered(
    states.map((e) => happening(e, since, text(e))),
    REBALANCES_SHOWN,
  )
}

export function controllersIn(events: readonly ClusterEvent[], since: Since): Happening[] {
  const active = events.filter((e) => e.event === 'controller.active')
  return active.map((e) => happening(e, since, `${e.node} is active, term ${e['term']}`))
}

/** `what` is the anomaly or expectation. */
export function findingsIn({ findings }: Verdict, since: Since): (Happening & { readonly what: string })[] {
  return findings.map(({ what, words, at, partition }) => ({
    what,
    at: Math.max(0, since(at)),
    label: `${what}: ${words}`,
    count: 1,
    ...(partition === null ? {} : { partition }),
  }))
}

function happening(e: ClusterEvent, since: Since, label: string): Happening {
  const partition = partitionOf(e)
  const named = Object.fromEntries(['api', 'group'].flatMap((f) => (e[f] === undefined ? [] : [[f, String(e[f])]])))
  return { at: since(e.t), label, count: 1, node: e.node, ...named, ...(partition === undefined ? {} : { partition }) }
}

function partitionOf(e: ClusterEvent): string | undefined {
  return e['topic'] === undefined || e['partition'] === undefined ? undefined : `${e['topic']}-${e['partition']}`
}

/** At most so many: those that are alike and come close together become one, the first of them with a count. */
export function gathered<T extends Happening>(all: readonly T[], most: number): T[] {
  let made = [...all]
  for (let width = FIRST_WIDTH_MS; made.length > most && width < Number.MAX_SAFE_INTEGER; width *= 2) {
    const alike = new Map<string, T>()
    for (const one of all) {
      const key = `${Math.floor(one.at / width)} ${one.label}`
      const first = alike.get(key)
      alike.set(key, first ? { ...first, count: first.count + one.count } : one)
    }
    made = [...alike.values()]
  }
  return made.slice(0, most)
}
