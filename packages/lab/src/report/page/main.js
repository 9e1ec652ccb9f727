// Draws the report: words first, then one time axis with its lanes. A click on an error or an anomaly shows what explains it, in words beside and by
// light in the lanes.
/* global document, ResizeObserver */
import { Axis } from './axis.js'
import { causesOf, keys } from './causes.js'
import { button, clock, element, shape, text } from './dom.js'
import { brokerColour, lanesOf } from './lanes.js'
import { detailOf, head, judged, listOf } from './words.js'

const data = JSON.parse(document.getElementById('data').textContent)
const axis = new Axis(data.durationMs, draw)
const lanesBox = element('div', { class: 'lanes', id: 'lanes' })
const detail = element('aside', { id: 'detail', hidden: '' })
/** What was chosen, and the keys of what explains it. */
let chosen

function select(lane, thing) {
  const causes = causesOf(data, thing)
  chosen = { thing, key: keys.mark(lane, thing), causes: new Set(causes.map((c) => c.key)) }
  detail.hidden = false
  detail.replaceChildren(...detailOf(data, thing, causes, zoomTo, unselect))
  if (!axis.shows(thing.at)) axis.all()
  draw()
}

function unselect() {
  chosen = undefined
  detail.hidden = true
  draw()
}

/** To a cause and what it explains, with a little around. */
function zoomTo(cause) {
  const [from, to] = [cause.at, chosen.thing.at].sort((a, b) => a - b)
  const margin = Math.max(250, (to - from) / 2)
  axis.show(from - margin, to + margin)
}

function grid(height) {
  const ticks = axis.ticks().flatMap((ms) => {
    const x = axis.x(ms)
    return [
      shape('line', { x1: x, x2: x, y1: 18, y2: height, class: 'grid' }),
      text(x, 12, `${Number((ms / 1000).toFixed(3))} s`, 'soft', { 'text-anchor': 'middle' }),
    ]
  })
  const moments = [
    [data.brokenAt, 'first step', 'moment'],
    [data.healedAt, 'all healed', 'moment'],
    ...(chosen ? [[chosen.thing.at, chosen.thing.label, 'chosen']] : []),
  ].filter(([ms]) => axis.shows(ms))
  const lines = moments.map(([ms, words, style]) => {
    const at = { x1: axis.x(ms), x2: axis.x(ms), y1: 14, y2: height }
    return shape('line', { ...at, class: style }, `${words}, ${clock(ms)}`)
  })
  return [...ticks, ...lines]
}

function widthOf() {
  return Math.max(700, lanesBox.clientWidth - 16)
}

function draw() {
  axis.width = widthOf()
  const lanes = lanesOf(data, axis, select, (key) => chosen !== undefined && (key === chosen.key || chosen.causes.has(key)))
  const height = lanes.reduce((sum, l) => sum + l.height + 12, 30)
  const svg = shape('svg', { viewBox: `0 0 ${axis.width} ${height}`, role: 'img', class: chosen ? 'with-chosen' : '' })
  svg.append(...grid(height))
  let top = 26
  for (const { name, more = [], height: own, draw: drawLane } of lanes) {
    svg.append(text(0, top + 11, name))
    more.forEach((words, i) => svg.append(text(0, top + 25 + i * 14, words, 'soft')))
    drawLane(svg, top)
    top += own + 12
  }
  if (chosen)
    for (const thing of svg.querySelectorAll('[data-key]')) {
      thing.classList.toggle('cause', chosen.causes.has(thing.dataset.key))
      thing.classList.toggle('this', thing.dataset.key === chosen.key)
    }
  axis.follow(svg, height)
  lanesBox.replaceChildren(svg)
}

function tools() {
  return element(
    'div',
    { class: 'tools' },
    button('−', 'less near (-)', () => axis.zoom(2)),
    button('+', 'nearer (+)', () => axis.zoom(0.5)),
    button('◀', 'earlier (left arrow)', () => axis.pan(-0.25)),
    button('▶', 'later (right arrow)', () => axis.pan(0.25)),
    button('all', 'the whole run (0)', () => axis.all()),
  )
}

const KEYS = {
  '+': () => axis.zoom(0.5),
  '-': () => axis.zoom(2),
  ArrowLeft: () => axis.pan(-0.25),
  ArrowRight: () => axis.pan(0.25),
  0: () => axis.all(),
  Escape: unselect,
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return
  event.preventDefault()
  KEYS[event.key]()
})

function legend() {
  const ids = new Set(data.partitions.flatMap((p) => p.states.map((s) => s.leader)).filter((id) => id >= 0))
  const swatch = (id) =>
    element('span', { class: 'swatch' }, element('i', { style: `background: ${brokerColour(id)}` }), `broker ${id}`)
  return element('p', { class: 'soft legend' }, ...[...ids].sort((a, b) => a - b).map(swatch))
}

document.body.append(
  head(data),
  ...judged(data),
  element('div', { class: 'title' }, element('h2', {}, 'What happened'), tools()),
  element(
    'p',
    { class: 'soft help' },
    'Drag to zoom, with Shift to move; double click for everything. Click on an error or an anomaly to see what explains it.',
  ),
  element('div', { class: 'stage' }, lanesBox, detail),
  legend(),
  element('h2', {}, 'Errors and anomalies'),
  listOf(data, (lane, thing) => {
    select(lane, thing)
    lanesBox.scrollIntoView({ block: 'nearest' })
  }),
)
draw()
new ResizeObserver(() => {
  if (widthOf() !== axis.width) draw()
}).observe(lanesBox)
