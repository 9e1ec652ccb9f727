// What the report says in words: the verdict, what was expected, and what happened as a list.
/* global document, window */
import { button, clock, element } from './dom.js'

const LISTED = 100

export function head(data) {
  return element(
    'header',
    {},
    element('h1', {}, data.name),
    element('span', { class: `outcome ${data.outcome}` }, data.outcome),
    element('span', { class: 'soft' }, new Date(data.startedAt).toLocaleString()),
    element(
      'span',
      { class: 'tools' },
      button('dark / light', 'the other colours', changeTheme),
      button('print', 'print it, or save it as PDF', () => window.print()),
    ),
  )
}

function changeTheme() {
  const { dataset } = document.documentElement
  const isDark = (dataset.theme ?? (window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark'
  dataset.theme = isDark ? 'light' : 'dark'
}

export function judged(data) {
  const { acknowledged, indeterminate, failed, read } = data.counts
  return [
    element('p', { class: 'about' }, data.about),
    ...(data.reasons.length > 0 ? [element('ul', { class: 'reasons' }, ...data.reasons.map((r) => element('li', {}, r)))] : []),
    element('h2', {}, 'Expected'),
    element('table', {}, headRow('', '', 'found', 'limit'), ...data.expectations.map(expectationRow)),
    element(
      'p',
      { class: 'soft' },
      `${acknowledged} records acknowledged, ${indeterminate} open, ${failed} failed, ${read} there at the end; seed ${data.seed}`,
    ),
    ...data.unasked.map((line) => element('p', { class: 'soft' }, `also found, with nothing expected: ${line}`)),
  ]
}

function headRow(...names) {
  return element('tr', {}, ...names.map((n) => element('th', {}, n)))
}

function expectationRow({ expectation, status, found, limit, examples }) {
  const lines = element('div', { class: 'soft' }, ...examples.flatMap((line) => [line, element('br')]))
  const cells = [
    [{}, expectation],
    [{ class: `state ${status}` }, status],
    [{}, found, lines],
    [{}, limit],
  ]
  return element('tr', {}, ...cells.map(([attributes, ...inside]) => element('td', attributes, ...inside)))
}

/** Errors and anomalies, in the order of time: each can be chosen here as well, also without a pointer. */
export function listOf(data, select) {
  const all = [...data.errors.map((e) => ['errors', e]), ...data.findings.map((f) => ['findings', f])]
  if (all.length === 0)
    return element('p', { class: 'soft' }, 'No client was answered with an error, and no checker found anything.')
  all.sort(([, a], [, b]) => a.at - b.at)
  const rows = all.slice(0, LISTED).map(([lane, e]) => {
    const choose = button(e.label, 'show what explains it', () => select(lane, e))
    choose.className = lane
    return element(
      'tr',
      {},
      element('td', {}, clock(e.at)),
      element('td', {}, e.node ?? e.partition ?? ''),
      element('td', {}, choose, e.count > 1 ? ` ${e.count} times` : ''),
    )
  })
  const rest = all.length > LISTED ? [element('p', { class: 'soft' }, `and ${all.length - LISTED} more: see the lanes`)] : []
  return element('div', { class: 'list' }, element('table', {}, headRow('at', 'where', 'what'), ...rows), ...rest)
}

/** `zoom` is told of a cause. */
export function detailOf(data, thing, causes, zoom, close) {
  const items = causes.map((c) => {
    const after = c.at - thing.at
    const distance = after <= 0 ? `${Math.round(-after)} ms before` : `${Math.round(after)} ms after`
    return element(
      'li',
      {},
      button(c.words, 'zoom to it', () => zoom(c)),
      element('div', { class: 'soft' }, distance),
    )
  })
  const none =
    thing.at < data.brokenAt
      ? 'Nothing had been broken yet: clients that start ask for what is not there yet, and ask again.'
      : 'Nothing was broken in the moments before it.'
  return [
    element('div', { class: 'tools' }, button('close', 'Escape does it, too', close)),
    element('div', { class: 'soft' }, `${clock(thing.at)}${thing.node ? ` at ${thing.node}` : ''}`),
    element('strong', {}, `${thing.label}${thing.count > 1 ? ` (${thing.count} times)` : ''}`),
    element('h3', {}, 'What explains it'),
    items.length > 0 ? element('ul', {}, ...items) : element('p', {}, none),
  ]
}
