// The lanes under the time axis: each has a name, a height, and draws itself at a place. What can be a cause is drawn with its key.
import { LEFT } from './axis.js'
import { changeOf, keys } from './causes.js'
import { clock, shape, text } from './dom.js'

const BROKERS = ['#4e79a7', '#f28e2b', '#59a14f', '#b07aa1', '#76b7b2', '#edc948', '#ff9da7', '#9c755f', '#bab0ac']
const ROW = 16
const FAULT_ROWS = 30
const PARTITIONS_SHOWN = 24
const PARTITION_ROW = 26
const SERIES_HEIGHT = 62
const LETTER_PX = 6.2
/** What is nearer than this is drawn as one. */
const MARK_PX = 2
const HIT_PX = 1.5
const STATE_PX = 2

export const brokerColour = (id) => (id < 0 ? 'transparent' : BROKERS[(id - 1) % BROKERS.length])

/** `select` is told what was clicked; what `isLit` is drawn also where there is hardly room for it. */
export function lanesOf(data, axis, select, isLit) {
  const d = { data, axis, select, isLit }
  return [
    markLane(d, 'steps', 'steps', data.steps, 'mark'),
    faultLane(d),
    partitionLane(d),
    markLane(d, 'elections', 'elections', electionsIn(data.partitions), 'mark'),
    markLane(d, 'controllers', 'active controller', data.controllers, 'mark'),
    markLane(d, 'rebalances', 'group rebalances', data.rebalances, 'mark'),
    markLane(d, 'errors', 'client errors', data.errors, 'error', true),
    markLane(d, 'findings', 'anomalies', data.findings, 'finding', true),
    rateLane(d),
    seriesLane(d, 'time to acknowledge', 'ms', [line('p99', data.p99, 'area'), line('p50', data.p50, 'second')]),
    lagLane(d),
  ]
}

export function electionsIn(partitions) {
  return partitions
    .flatMap(({ name, states }) =>
      states.flatMap((s, i) =>
        i > 0 && (s.leader !== states[i - 1].leader || s.epoch !== states[i - 1].epoch)
          ? [{ at: s.at, label: changeOf(name, states[i - 1], s), count: 1, key: keys.state(name, s) }]
          : [],
      ),
    )
    .sort((a, b) => a.at - b.at)
}

/** Of what would be drawn on top of each other, one; and all that explain what was chosen. Each is told how many it stands for. */
function apart({ axis, isLit }, things, keyOf, px) {
  const shown = []
  let [last, x] = [undefined, -Infinity]
  // Each node tells in its order, and not all of them in one.
  for (const thing of things.toSorted((a, b) => a.at - b.at)) {
    const at = axis.x(thing.at)
    if (at - x < px && !isLit(keyOf(thing))) last.alike++
    else {
      last = { ...thing, alike: 0 }
      shown.push(last)
      x = at
    }
  }
  return shown
}

/** A rectangle from one time to another, cut to what is shown; nothing where it would not be. */
function bar({ axis }, from, to, y, height, attributes, title) {
  if (to < axis.from || from > axis.to) return []
  const [a, b] = [Math.max(LEFT, axis.x(from)), Math.min(axis.width, axis.x(to))]
  return [shape('rect', { x: a, y, width: Math.max(1, b - a), height, ...attributes }, title)]
}

/** Rows for what lasts, so that no two and no two labels are on top of each other as long as there is room. */
function rowsOf(spans, axis) {
  const msOfLabel = (label) => (label.length * LETTER_PX * axis.durationMs) / (axis.width - LEFT)
  const ends = []
  return spans
    .toSorted((a, b) => a.from - b.from)
    .map((span) => {
      const free = ends.findIndex((end) => end <= span.from)
      const row = free >= 0 ? free : Math.min(ends.length, FAULT_ROWS - 1)
      ends[row] = Math.max(span.to, span.from + msOfLabel(span.label))
      return { ...span, row }
    })
}

function faultLane(d) {
  const { data, axis } = d
  const rows = rowsOf(
    [
      ...data.faults.map((f) => ({ ...f, style: 'fault', key: keys.fault(f) })),
      ...data.down.map((down) => ({ ...down, hits: [], style: 'down', key: keys.down(down) })),
    ],
    axis,
  )
  const height = (Math.max(0, ...rows.map((r) => r.row)) + 1) * ROW + 4
  const draw = (svg, top) => {
    for (const { from, to, label, hits, style, row, key, ...fault } of rows) {
      const y = top + row * ROW
      const count = hits.reduce((sum, h) => sum + h.count, 0)
      const title = `${label}, ${clock(from)} to ${clock(to)}${count > 0 ? `, ${count} hits` : ''}`
      svg.append(...bar(d, from, to, y, 13, { class: `thing ${style}`, 'data-key': key }, title))
      if (to >= axis.from && from <= axis.to) svg.append(text(Math.max(LEFT, axis.x(from)) + 4, y + 11, label, 'label'))
      const inView = hits.map((hit, i) => ({ ...hit, key: keys.hit(fault, i) })).filter((h) => axis.shows(h.at))
      for (const hit of apart(d, inView, (h) => h.key, HIT_PX)) {
        const at = { x1: axis.x(hit.at), x2: axis.x(hit.at), y1: y, y2: y + 13 }
        svg.append(shape('line', { ...at, class: 'thing hit', 'data-key': hit.key }, `${clock(hit.at)}: ${hit.label}`))
      }
    }
  }
  return { name: 'faults and hits', more: ['nodes that are down'], height, draw }
}

/** Those that changed most, where there are too many. */
function partitionsShown({ partitions }) {
  const chosen = new Set(partitions.toSorted((a, b) => b.states.length - a.states.length).slice(0, PARTITIONS_SHOWN))
  return partitions.filter((p) => chosen.has(p))
}

function partitionLane(d) {
  const { data, axis } = d
  const some = partitionsShown(data)
  const hidden = data.partitions.length - some.length
  const draw = (svg, top) => {
    some.forEach(({ name, replicas, states }, i) => {
      const y = top + 16 + i * PARTITION_ROW
      svg.append(text(LEFT - 6, y + 10, name, 'soft', { 'text-anchor': 'end' }))
      const lasting = states.map((s, j) => ({ ...s, to: states[j + 1]?.at ?? data.durationMs }))
      const inView = lasting.filter((s) => s.to >= axis.from && s.at <= axis.to)
      const shown = apart(d, inView, (s) => keys.state(name, s), STATE_PX)
      shown.forEach((state, j) => {
        const to = shown[j + 1]?.at ?? state.to
        const { leader, epoch, isr } = state
        const title = `${name}: leader ${leader < 0 ? 'none' : leader}, epoch ${epoch}, ISR [${isr.join(', ')}], ${clock(state.at)} to ${clock(to)}`
        const key = { 'data-key': keys.state(name, state) }
        const fill = leader < 0 ? {} : { fill: brokerColour(leader) }
        svg.append(...bar(d, state.at, to, y, 11, { class: leader < 0 ? 'thing nobody' : 'thing', ...fill, ...key }, title))
        // As high as there are replicas in sync.
        const size = Math.max(1, (8 * isr.length) / replicas)
        const colour = isr.length >= replicas ? 'good' : isr.length > 1 ? 'doubt' : 'bad'
        svg.append(...bar(d, state.at, to, y + 20 - size, size, { class: `thing isr ${colour}`, ...key }, title))
        const [a, b] = [Math.max(LEFT, axis.x(state.at)), Math.min(axis.width, axis.x(to))]
        if (b - a > 40) svg.append(text(a + 4, y + 9, `${leader < 0 ? 'nobody' : leader}`, 'inside'))
        if (b - a > 40 && isr.length < replicas) svg.append(text(b - 28, y + 9, `${isr.length}/${replicas}`, 'inside'))
      })
    })
  }
  const more = hidden > 0 ? ['', `and ${hidden} that changed less`] : []
  return { name: 'leaders, ISR sizes', more, height: some.length * PARTITION_ROW + 16, draw }
}

/** Without any it stays, so that it is seen that there were none. */
function markLane(d, lane, name, marks, style, isClickable = false) {
  const { axis, select } = d
  const keyOf = (m) => m.key ?? keys.mark(lane, m)
  const draw = (svg, top) => {
    if (marks.length === 0) svg.append(text(LEFT + 4, top + 11, 'none', 'soft'))
    const inView = marks.filter((m) => axis.shows(m.at))
    for (const m of apart(d, inView, keyOf, MARK_PX)) {
      const key = keyOf(m)
      const more = m.alike > 0 ? `, and ${m.alike} more: zoom to see them` : ''
      const title = `${clock(m.at)}: ${m.label}${m.count > 1 ? ` (${m.count} times)` : ''}${more}`
      const made = dot(style, axis.x(m.at), top + 8, { class: `thing ${style}`, 'data-key': key }, title)
      if (isClickable) made.addEventListener('click', () => select(lane, m))
      svg.append(made)
    }
  }
  return { name, height: 18, draw }
}

function dot(style, x, y, attributes, title) {
  if (style !== 'finding') return shape('circle', { cx: x, cy: y, r: 4, ...attributes }, title)
  return shape('path', { d: `M${x} ${y - 6}L${x + 6} ${y + 5}L${x - 6} ${y + 5}Z`, ...attributes }, title)
}

const line = (name, values, style, colour) => ({ name, values, style, colour })

function rateLane(d) {
  const { acknowledged, read, bucketMs } = d.data
  const perSecond = (values) => values.map((v) => (v * 1000) / bucketMs)
  const lines = [line('acknowledged', perSecond(acknowledged), 'area')]
  if (read.some((r) => r > 0)) lines.push(line('read', perSecond(read), 'second'))
  return seriesLane(d, 'throughput', '/s', lines)
}

function lagLane(d) {
  const { lag } = d.data
  const lines = lag.map(({ group, records }, i) => line(group, records, 'line', brokerColour((i % BROKERS.length) + 1)))
  return seriesLane(d, 'lag', 'records', lines)
}

function seriesLane(d, name, unit, lines) {
  const { axis, data } = d
  const visible = lines.flatMap(({ values }) => values.filter((_, i) => axis.shows((i + 0.5) * data.bucketMs)))
  const largest = visible.reduce((most, v) => Math.max(most, v), 1)
  const draw = (svg, top) => {
    svg.append(text(0, top + 25, lines.length > 0 ? `up to ${Math.round(largest)} ${unit}` : '', 'soft'))
    if (lines.length === 0) svg.append(text(LEFT + 4, top + 11, 'no group', 'soft'))
    lines.forEach(({ name: of, values, style, colour }, i) => {
      const attributes = { d: path(d, values, top, largest, style === 'area'), class: style, 'data-line': of }
      svg.append(shape('path', colour ? { ...attributes, stroke: colour } : attributes, of))
      if (i < 3) svg.append(text(0, top + 39 + i * 13, of, `legend ${style}`, colour ? { style: `fill: ${colour}` } : {}))
    })
  }
  return { name, height: SERIES_HEIGHT + 12, draw }
}

/** What nobody has measured is a gap where it counts, and no gap where looks are further apart than buckets. */
function path({ axis, data }, values, top, largest, isArea) {
  const bottom = top + SERIES_HEIGHT
  let d = ''
  let last
  values.forEach((value, i) => {
    const at = (i + 0.5) * data.bucketMs
    if (value < 0 || !axis.shows(at)) return
    const isOpen = last !== undefined && at - last <= Math.max(data.bucketMs, 1500)
    const [x, y] = [axis.x(at), bottom - (value / largest) * SERIES_HEIGHT]
    if (!isOpen && isArea && last !== undefined) d += `L${axis.x(last)} ${bottom}Z`
    d += isOpen ? `L${x} ${y}` : isArea ? `M${x} ${bottom}L${x} ${y}` : `M${x} ${y}`
    last = at
  })
  return isArea && last !== undefined ? `${d}L${axis.x(last)} ${bottom}Z` : d
}
