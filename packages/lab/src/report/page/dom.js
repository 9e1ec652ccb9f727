// Elements of the page, and words for times.
/* global document */
const SVG = 'http://www.w3.org/2000/svg'

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

export function button(words, title, onClick) {
  const made = element('button', { type: 'button', title }, words)
  made.addEventListener('click', onClick)
  return made
}

/** `title` is shown when the pointer rests on it. */
export function shape(name, attributes, title) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  if (title !== undefined) {
    const shown = document.createElementNS(SVG, 'title')
    shown.textContent = title
    made.append(shown)
  }
  return made
}

export function text(x, y, words, style = '', more = {}) {
  const made = shape('text', { x, y, class: style, ...more })
  made.textContent = words
  return made
}

export function clock(ms) {
  return ms < 0 ? `${Math.round(-ms)} ms before the load` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
}
