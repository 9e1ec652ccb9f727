// What explains an error, or what a checker found: what was broken, elected or rebalanced in the moments around it, at the same place first. A cause
// has the key of what it is drawn as.

const SHORTLY_MS = 3000
const A_WHILE_MS = 10_000
/** Clocks of processes on one machine, and events on their way. */
const SLACK_MS = 50
const SHOWN = 12
const PLACES = ['node', 'api', 'partition']

export const keys = {
  fault: (f) => `fault ${f.id}`,
  hit: (f, i) => `hit ${f.id} ${i}`,
  down: (d) => `down ${d.node} ${d.from}`,
  state: (partition, s) => `state ${partition} ${s.at}`,
  mark: (lane, m) => `${lane} ${m.at} ${m.label}`,
}

/** The nearest to it come first. What is found at the end was done before or after: both are looked at. */
export function causesOf(data, thing) {
  const isFinding = thing.what !== undefined
  const within = isFinding ? A_WHILE_MS : SHORTLY_MS
  const around = (at, ms = within) => thing.at - at <= ms && at - thing.at <= (isFinding ? ms : SLACK_MS)
  const found = [
    ...data.faults.flatMap((f) => hitCauses(f, thing, around)),
    ...data.faults.flatMap((f) => faultCause(f, thing, within, isFinding)),
    ...data.down.flatMap((d) => downCause(d, thing, data, around)),
    ...data.partitions.flatMap((p) => stateCauses(p, thing, around)),
    ...data.rebalances.filter((r) => concerns(r.group, thing.group) && around(r.at)).map((r) => marked('rebalances', r, thing)),
    ...data.controllers.filter((c) => around(c.at)).map((c) => ({ ...marked('controllers', c, thing), rank: 3 })),
    ...data.steps
      .filter((s) => !s.label.startsWith('fault ') && around(s.at))
      .map((s) => ({ ...marked('steps', s, thing), rank: 3 })),
  ]
  const distance = (c) => Math.abs(thing.at - c.at)
  return found.sort((a, b) => a.rank - b.rank || distance(a) - distance(b)).slice(0, SHOWN)
}

/** What does not say where it was may be anywhere. */
function concerns(mine, others) {
  return mine === undefined || others === undefined || mine === others
}

function marked(lane, mark, thing) {
  const rank = mark.group !== undefined && mark.group === thing.group ? 1 : 2
  return { key: keys.mark(lane, mark), at: mark.at, rank, words: mark.label }
}

/** The nearest hit at the same place; an error may be the very answer that a fault made. */
function hitCauses(fault, thing, around) {
  const same = (hit) => PLACES.filter((f) => hit[f] !== undefined && hit[f] === thing[f])
  const near = fault.hits
    .map((hit, i) => ({ hit, i }))
    .filter(({ hit }) => around(hit.at) && same(hit).length > 0 && PLACES.every((f) => concerns(hit[f], thing[f])))
    .sort((a, b) => Math.abs(thing.at - a.hit.at) - Math.abs(thing.at - b.hit.at))
  return near.slice(0, 1).map(({ hit, i }) => ({
    key: keys.hit(fault, i),
    at: hit.at,
    rank: same(hit).length > 1 ? 0 : 1,
    words: `${hit.label}${hit.count > 1 ? `, ${hit.count} times` : ''}: the same ${list(same(hit))}`,
  }))
}

function faultCause(fault, thing, within, isFinding) {
  const inForce = fault.from <= thing.at + SLACK_MS && fault.to >= thing.at
  const isNear = fault.to < thing.at ? thing.at - fault.to <= within : isFinding && fault.from - thing.at <= within
  if (!inForce && !isNear) return []
  const when = inForce ? 'was in force' : fault.to < thing.at ? 'had just ended' : 'began soon after'
  return [{ key: keys.fault(fault), at: fault.from, rank: inForce ? 1 : 2, words: `${fault.label} ${when}` }]
}

/** Who is back is not yet what it was. */
function downCause(down, thing, data, around) {
  const wasDown = down.from <= thing.at + SLACK_MS && down.to >= thing.at
  if (!wasDown && !around(down.from) && !around(down.to)) return []
  const id = Number(down.node.split(':')[1])
  const states = data.partitions.find((p) => p.name === thing.partition)?.states ?? []
  const led = states.some((s, i) => s.leader === id && s.at <= down.from && (states[i + 1]?.at ?? Infinity) >= down.from)
  const words = `${down.label}${led ? `, which led ${thing.partition}` : ''}${wasDown ? '' : `, back at ${(down.to / 1000).toFixed(2)} s`}`
  return [{ key: keys.down(down), at: down.from, rank: led ? 0 : wasDown ? 1 : 2, words }]
}

function stateCauses({ name, states }, thing, around) {
  if (name !== thing.partition) return []
  return states
    .map((state, i) => ({ state, before: states[i - 1] }))
    .filter(({ state, before }) => before !== undefined && around(state.at))
    .map(({ state, before }) => ({ key: keys.state(name, state), at: state.at, rank: 1, words: changeOf(name, before, state) }))
}

/** What an election, or an ISR that changed, is called. */
export function changeOf(name, before, { leader, epoch, isr, unclean }) {
  if (leader < 0) return `${name} has no leader, ISR [${isr.join(', ')}]`
  if (leader === before?.leader && epoch === before.epoch)
    return `ISR of ${name} goes from [${before.isr.join(', ')}] to [${isr.join(', ')}]`
  return `broker ${leader} is elected for ${name}${unclean ? ' uncleanly' : ''}, epoch ${epoch}, ISR [${isr.join(', ')}]`
}

function list(words) {
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words[0]
}
