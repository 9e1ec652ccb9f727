// Draws the report: words first, then one time axis with its lanes. Drag to zoom, double click for everything, click an error for its cause.
/* global document, window */
const data = JSON.parse(document.getElementById('data').textContent)

const WIDTH = 1150
const LEFT = 150
const SVG = 'http://www.w3.org/2000/svg'
const BROKERS = ['#4e79a7', '#f28e2b', '#59a14f', '#b07aa1', '#76b7b2', '#edc948', '#ff9da7', '#9c755f', '#bab0ac']

let view = { from: 0, to: data.durationMs }

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

function shape(name, attributes, label) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  if (label !== undefined) {
    const title = document.createElementNS(SVG, 'title')
    title.textContent = label
    made.append(title)
  }
  return made
}

function text(x, y, words, style = '') {
  const made = shape('text', { x, y, class: style })
  made.textContent = words
  return made
}

const x = (ms) => LEFT + ((ms - view.from) / (view.to - view.from)) * (WIDTH - LEFT)
const clock = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`

/** A rectangle from one time to another, cut to what is shown. */
function bar(from, to, y, height, style, label, fill) {
  const [a, b] = [Math.max(LEFT, x(from)), Math.min(WIDTH, x(to))]
  const attributes = { x: a, y, width: Math.max(0, b - a), height, class: style }
  return shape('rect', fill ? { ...attributes, fill } : attributes, label)
}

const shown = (ms) => ms >= view.from && ms <= view.to

function lane(name, height, draw) {
  return { name, height, draw }
}

function faultLane() {
  const rows = [
    ...data.faults.map((f) => ({ ...f, style: 'fault' })),
    ...data.down.map((d) => ({ ...d, hits: [], style: 'down' })),
  ]
  return lane('faults, nodes down', Math.max(1, rows.length) * 16 + 4, (svg, top) => {
    rows.forEach(({ from, to, label, hits, style }, i) => {
      const y = top + i * 16
      svg.append(bar(from, to, y, 13, style, `${label}, ${clock(from)} to ${clock(to)}, ${hits.length} hits`))
      if (shown(from) || shown(to)) svg.append(text(Math.max(LEFT, x(from)) + 4, y + 11, label))
      for (const hit of hits)
        if (shown(hit))
          svg.append(shape('line', { x1: x(hit), x2: x(hit), y1: y, y2: y + 13, class: 'hit' }, `hit at ${clock(hit)}`))
    })
  })
}

function partitionLane() {
  const some = data.partitions.slice(0, 24)
  return lane('leader and ISR', some.length * 18 + 4, (svg, top) => {
    some.forEach(({ name, replicas, states }, i) => {
      const y = top + i * 18
      svg.append(text(LEFT - 6 - name.length * 6, y + 12, name, 'soft'))
      states.forEach((state, j) => {
        const to = states[j + 1]?.at ?? data.durationMs
        if (to < view.from || state.at > view.to) return
        const colour = state.leader < 0 ? 'transparent' : BROKERS[(state.leader - 1) % BROKERS.length]
        const label = `${name}: leader ${state.leader < 0 ? 'none' : state.leader}, epoch ${state.epoch}, ISR [${state.isr.join(', ')}], ${clock(state.at)} to ${clock(to)}`
        const rect = bar(state.at, to, y, 10, '', label, colour)
        if (state.leader < 0) rect.setAttribute('class', 'fault')
        svg.append(rect)
        // Thin where replicas are missing.
        const full = state.isr.length >= replicas
        svg.append(
          bar(
            state.at,
            to,
            y + 11,
            full ? 3 : 2,
            '',
            label,
            full ? 'var(--good)' : state.isr.length > 1 ? 'var(--doubt)' : 'var(--bad)',
          ),
        )
      })
    })
  })
}

function markLane(name, marks, style = 'mark', onClick) {
  return lane(name, 18, (svg, top) => {
    for (const m of marks) {
      if (!shown(m.at)) continue
      const dot = shape('circle', { cx: x(m.at), cy: top + 8, r: 4, class: style }, `${clock(m.at)}: ${m.label}`)
      if (onClick) dot.addEventListener('click', () => onClick(m))
      svg.append(dot)
    }
  })
}

function path(values, top, height, largest, close) {
  let d = ''
  let open = false
  values.forEach((value, i) => {
    const at = (i + 0.5) * data.bucketMs
    if (value < 0 || !shown(at)) return void (open = false)
    const y = top + height - (largest > 0 ? value / largest : 0) * height
    if (!open && close) d += `M${x(at)} ${top + height}L${x(at)} ${y}`
    else d += `${open ? 'L' : 'M'}${x(at)} ${y}`
    open = true
    const next = values[i + 1]
    if (close && (next === undefined || next < 0 || !shown(at + data.bucketMs))) d += `L${x(at)} ${top + height}Z`
  })
  return d
}

function seriesLane(name, unit, first, second) {
  const visible = [...first, ...(second ?? [])].filter((_, i) => shown(((i % first.length) + 0.5) * data.bucketMs))
  const largest = Math.max(1, ...visible)
  return lane(name, 74, (svg, top) => {
    svg.append(text(0, top + 26, `up to ${Math.round(largest)} ${unit}`, 'soft'))
    svg.append(shape('path', { d: path(first, top, 62, largest, true), class: 'area' }))
    if (second) svg.append(shape('path', { d: path(second, top, 62, largest, false), class: 'second' }))
  })
}

/** What was broken when it came, nearest first. */
function explain(error) {
  const causes = [
    ...data.faults
      .filter((f) => f.from <= error.at && f.to >= error.at)
      .map((f) => ({ at: f.from, words: `${f.label} was in force since ${clock(f.from)}` })),
    ...data.down
      .filter((d) => d.from <= error.at && d.to + 2000 >= error.at)
      .map((d) => ({ at: d.from, words: `${d.label} since ${clock(d.from)}` })),
    ...data.partitions.flatMap(({ name, states }) =>
      states
        .filter((s) => error.label.includes(name) && s.at <= error.at && error.at - s.at < 5000)
        .map((s) => ({
          at: s.at,
          words: `${name}: leader ${s.leader}, epoch ${s.epoch}, ISR [${s.isr.join(', ')}] since ${clock(s.at)}`,
        })),
    ),
    ...data.rebalances
      .filter((r) => r.at <= error.at && error.at - r.at < 3000)
      .map((r) => ({ at: r.at, words: `${r.label} at ${clock(r.at)}` })),
  ].sort((a, b) => b.at - a.at)
  const detail = document.getElementById('detail')
  detail.replaceChildren(
    element('strong', {}, `${clock(error.at)}  ${error.node}  ${error.label}${error.count > 1 ? ` (${error.count} times)` : ''}`),
    element(
      'ul',
      {},
      ...(causes.length > 0
        ? causes.slice(0, 8).map((c) => element('li', {}, c.words))
        : [element('li', {}, 'nothing was broken then')]),
    ),
  )
}

function draw() {
  const perSecond = (values) => values.map((v) => (v * 1000) / data.bucketMs)
  const hasReads = data.read.some((r) => r > 0)
  const lanes = [
    markLane('steps', data.steps),
    faultLane(),
    partitionLane(),
    markLane('active controller', data.controllers),
    ...(data.rebalances.length > 0 ? [markLane('rebalances', data.rebalances)] : []),
    markLane('client errors', data.errors, 'error', explain),
    seriesLane(
      hasReads ? 'acknowledged, read' : 'acknowledged',
      '/s',
      perSecond(data.acknowledged),
      hasReads ? perSecond(data.read) : undefined,
    ),
    seriesLane('ack time, p99 and p50', 'ms', data.p99, data.p50),
  ]
  const height = lanes.reduce((sum, l) => sum + l.height + 12, 30)
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img' })
  for (let i = 0; i <= 10; i++) {
    const ms = view.from + ((view.to - view.from) * i) / 10
    svg.append(
      shape('line', { x1: x(ms), x2: x(ms), y1: 18, y2: height, class: 'grid' }),
      text(x(ms) - (i === 10 ? 32 : 12), 12, clock(ms), 'soft'),
    )
  }
  for (const [ms, words] of [
    [data.brokenAt, 'first step'],
    [data.healedAt, 'all healed'],
  ])
    if (shown(ms))
      svg.append(shape('line', { x1: x(ms), x2: x(ms), y1: 14, y2: height, class: 'moment' }, `${words}, ${clock(ms)}`))
  let top = 26
  for (const l of lanes) {
    svg.append(text(0, top + 11, l.name))
    l.draw(svg, top)
    top += l.height + 12
  }
  selectable(svg, height)
  document.getElementById('lanes').replaceChildren(svg)
}

function selectable(svg, height) {
  const at = (event) => {
    const box = svg.getBoundingClientRect()
    const inside = ((event.clientX - box.left) / box.width) * WIDTH
    return view.from + ((Math.max(LEFT, inside) - LEFT) / (WIDTH - LEFT)) * (view.to - view.from)
  }
  let from
  const band = shape('rect', { y: 0, height, width: 0, x: 0, class: 'select' })
  svg.append(band)
  svg.addEventListener('pointerdown', (event) => (from = at(event)))
  svg.addEventListener('pointermove', (event) => {
    if (from === undefined) return
    const [a, b] = [x(from), x(at(event))].sort((p, q) => p - q)
    band.setAttribute('x', a)
    band.setAttribute('width', b - a)
  })
  svg.addEventListener('pointerup', (event) => {
    const [a, b] = [from ?? 0, at(event)].sort((p, q) => p - q)
    from = undefined
    if (b - a < (view.to - view.from) / 100) return void band.setAttribute('width', 0)
    view = { from: a, to: b }
    draw()
  })
  svg.addEventListener('dblclick', () => {
    view = { from: 0, to: data.durationMs }
    draw()
  })
}

function words() {
  const theme = element('button', { type: 'button' }, 'dark / light')
  theme.addEventListener('click', () => {
    const dark =
      (document.documentElement.dataset.theme ??
        (window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark'
    document.documentElement.dataset.theme = dark ? 'light' : 'dark'
  })
  const print = element('button', { type: 'button' }, 'print')
  print.addEventListener('click', () => window.print())
  const rows = data.expectations.map((e) => {
    const examples = element('div', { class: 'soft' }, ...e.examples.flatMap((line) => [line, element('br')]))
    return element(
      'tr',
      {},
      element('td', {}, e.expectation),
      element('td', { class: `state ${e.status}` }, e.status),
      element('td', {}, e.found, examples),
      element('td', {}, e.limit),
    )
  })
  const { acknowledged, indeterminate, failed, read } = data.counts
  return [
    element(
      'header',
      {},
      element('h1', {}, data.name),
      element('span', { class: `outcome ${data.outcome}` }, data.outcome),
      element('span', { class: 'soft' }, new Date(data.startedAt).toLocaleString()),
      element('span', { class: 'tools' }, theme, print),
    ),
    element('p', { class: 'about' }, data.about),
    ...(data.reasons.length > 0 ? [element('ul', {}, ...data.reasons.map((r) => element('li', {}, r)))] : []),
    element('h2', {}, 'Expected'),
    element('table', {}, element('tr', {}, ...['', '', 'found', 'limit'].map((h) => element('th', {}, h))), ...rows),
    element(
      'p',
      { class: 'soft' },
      `${acknowledged} records acknowledged, ${indeterminate} open, ${failed} failed, ${read} there at the end; seed ${data.seed}`,
    ),
    ...data.unasked.map((line) => element('p', { class: 'soft' }, `also found, with nothing expected: ${line}`)),
    element('h2', {}, 'What happened'),
    element('div', { class: 'lanes', id: 'lanes' }),
    element('p', { class: 'soft' }, 'Drag to zoom, double click for everything. Click on an error to see what was broken then.'),
    element('div', { id: 'detail' }),
  ]
}

document.body.append(...words())
draw()
