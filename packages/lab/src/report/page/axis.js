// The time axis: which part of the run is shown, where a time is, and how a hand moves it. Dragging chooses a part; with Shift, or on the axis itself,
// it moves; the wheel moves sideways, and with Ctrl it zooms.
import { shape } from './dom.js'

export const LEFT = 150
const LEAST_MS = 20
const AXIS_HEIGHT = 22
/** Less than this is a click. */
const DRAG_PX = 4

export class Axis {
  constructor(durationMs, onChange) {
    this.durationMs = durationMs
    this.onChange = onChange
    this.width = 1000
    this.from = 0
    this.to = durationMs
  }

  x(ms) {
    return LEFT + ((ms - this.from) / (this.to - this.from)) * (this.width - LEFT)
  }

  msAt(x) {
    return this.from + ((Math.max(LEFT, x) - LEFT) / (this.width - LEFT)) * (this.to - this.from)
  }

  shows(ms) {
    return ms >= this.from && ms <= this.to
  }

  get isWhole() {
    return this.from === 0 && this.to === this.durationMs
  }

  /** Within the run, and never so narrow that nothing is left. */
  show(from, to) {
    const span = Math.min(this.durationMs, Math.max(LEAST_MS, to - from))
    const begin = Math.max(0, Math.min(from, this.durationMs - span))
    if (begin === this.from && begin + span === this.to) return
    this.from = begin
    this.to = begin + span
    this.onChange()
  }

  all() {
    this.show(0, this.durationMs)
  }

  /** `factor` below 1 is nearer; `around` stays where it is. */
  zoom(factor, around = (this.from + this.to) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor)
  }

  /** By a part of what is shown. */
  pan(part) {
    const by = part * (this.to - this.from)
    this.show(this.from + by, this.to + by)
  }

  /** Round times, about as many as there is room for. */
  ticks() {
    const wanted = (this.to - this.from) / Math.max(2, (this.width - LEFT) / 90)
    const power = 10 ** Math.floor(Math.log10(wanted))
    const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= wanted)
    const first = Math.ceil(this.from / step) * step
    return Array.from({ length: Math.floor((this.to - first) / step) + 1 }, (_, i) => first + i * step)
  }

  /** Listens to what a hand does on the drawing. */
  follow(svg, height) {
    const place = (event) => {
      const box = svg.getBoundingClientRect()
      return { x: ((event.clientX - box.left) / box.width) * this.width, y: event.clientY - box.top }
    }
    const band = shape('rect', { y: 0, height, width: 0, x: 0, class: 'select' })
    svg.append(band)
    let start
    svg.addEventListener('pointerdown', (event) => {
      const { x, y } = place(event)
      if (event.button === 0 && x >= LEFT) start = { x, from: this.from, to: this.to, moves: event.shiftKey || y < AXIS_HEIGHT }
    })
    svg.addEventListener('pointermove', (event) => {
      if (start === undefined || start.moves) return
      const { x } = place(event)
      band.setAttribute('x', Math.max(LEFT, Math.min(x, start.x)))
      band.setAttribute('width', Math.abs(Math.max(LEFT, x) - start.x))
    })
    svg.addEventListener('pointerleave', () => {
      start = undefined
      band.setAttribute('width', 0)
    })
    svg.addEventListener('pointerup', (event) => {
      if (start === undefined) return
      const { x } = place(event)
      const begun = start
      start = undefined
      band.setAttribute('width', 0)
      if (Math.abs(x - begun.x) < DRAG_PX) return
      const [a, b] = [this.msAt(begun.x), this.msAt(x)]
      if (begun.moves) this.show(begun.from + a - b, begun.to + a - b)
      else this.show(Math.min(a, b), Math.max(a, b))
    })
    svg.addEventListener('dblclick', () => this.all())
    svg.addEventListener(
      'wheel',
      (event) => {
        const isZoom = event.ctrlKey || event.metaKey
        if (!isZoom && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return
        event.preventDefault()
        if (isZoom) this.zoom(2 ** (event.deltaY / 200), this.msAt(place(event).x))
        else this.pan(event.deltaX / 1000)
      },
      { passive: false },
    )
  }
}
