// Whether a fault can be had at all as it was asked for: its kind, its parameters, what it chooses by, and a condition that somebody owns.
import { parseCondition } from '@faultline/fault'
import { checkRole } from '../role.ts'
import { FAMILIES } from './families/index.ts'
import type { FaultFamily, Kind, Parameter } from './family.ts'
import { bad, type FaultRequest } from './fault-request.ts'

/** Of a cluster, what a request is checked against. */
export interface Cluster {
  readonly nodes: readonly { readonly name: string }[]
  namesOf(role: 'broker' | 'controller'): readonly string[]
}

/** Throws Refusal; returns whose fault it is. */
export function checkRequest(request: FaultRequest, fleet: Cluster): FaultFamily {
  const { family, kind, where, node, from, to, when, with: given } = request
  const found = FAMILIES.find((f) => f.family === family)!
  const known = found.kinds.find((k) => k.kind === kind)
  if (!known) throw bad(`${family} has no kind "${kind}", but ${found.kinds.map((k) => k.kind).join(', ')}`)
  checkParameters(family, known, given)
  const foreign = Object.entries(where).find(([name, value]) => value !== undefined && !found.selectors.includes(name as never))
  if (foreign)
    throw bad(
      `${family} faults do not choose by ${foreign[0]}`,
      found.selectors.length > 0 ? `but by ${found.selectors.join(', ')}` : 'leave it out',
    )
  const names = fleet.nodes.map((n) => n.name)
  for (const selector of [node, from, to]) if (selector !== undefined) checkRole(selector, names)
  if (when !== undefined) checkOwner(when, fleet)
  found.check?.(request)
  return found
}

function checkParameters(family: string, { kind, parameters }: Kind, given: FaultRequest['with']): void {
  for (const [name, value] of Object.entries(given)) {
    const parameter = parameters.find((p) => p.name === name)
    const names = parameters.map((p) => p.name).join(', ') || 'none'
    if (!parameter) throw bad(`${family} ${kind} has no parameter "${name}"; it has ${names}`)
    checkValue(parameter, value)
  }
}

function checkValue({ name, oneOf, default: usual, min = 0, max = Infinity }: Parameter, value: string | number | boolean): void {
  if (oneOf && !oneOf.includes(String(value))) throw bad(`${name}=${value} is none of ${oneOf.join(', ')}`)
  if (typeof usual !== 'number') return
  if (String(value).trim() === '' || !Number.isFinite(Number(value))) throw bad(`${name}=${value} is no number`)
  if (Number(value) < min) throw bad(`${name}=${value} is below ${min}`)
  if (Number(value) > max) throw bad(`${name}=${value} is above ${max}`)
}

/** A partition or a group may come later; nodes do not. */
function checkOwner(when: string, fleet: Cluster): void {
  const [brokers, controllers] = [fleet.namesOf('broker'), fleet.namesOf('controller')]
  const never = (what: string) =>
    bad(`${when} can never be true: ${what}`, `there are ${[...brokers, ...controllers].join(', ')}`)
  for (const { subject, key, field, operator, value } of parseCondition(when)) {
    const broker = subject === 'broker' ? key : subject === 'follower' ? key.slice(key.lastIndexOf(':') + 1) : undefined
    if (broker !== undefined && !brokers.includes(`broker:${Number(broker)}`)) throw never(`there is no broker ${broker}`)
    const isId = field === 'id' && operator === '=' && Number(value) >= 0
    if (isId && subject === 'leader' && !brokers.includes(`broker:${value}`)) throw never(`there is no broker ${value}`)
    if (isId && subject === 'controller' && !controllers.includes(`controller:${value}`))
      throw never(`there is no controller ${value}`)
    const least = operator === '>' ? Number(value) + 1 : operator === '=' || operator === '>=' ? Number(value) : 0
    if (subject === 'isr' && least > brokers.length) throw never(`there are ${brokers.length} brokers`)
  }
}
