// latency: everything is late by `latency` ms, more or less `jitter`; in order all the same.
import type { ToxicKind } from '../toxic.ts'
import { Held } from './held.ts'

export const latency: ToxicKind = {
  type: 'latency',
  attributes: { latency: 0, jitter: 0 },
  attach(attributes, output, link) {
    const held = new Held(output, link)
    const due: number[] = []
    let timer: NodeJS.Timeout | undefined
    const schedule = () => {
      if (timer === undefined && due.length > 0) timer = setTimeout(release, Math.max(0, due[0]! - performance.now()))
    }
    const release = () => {
      timer = undefined
      const now = performance.now()
      while (due.length > 0 && due[0]! <= now) {
        due.shift()
        held.pass()
      }
      schedule()
    }
    const add = (item: Buffer | 'end') => {
      const { latency: ms = 0, jitter = 0 } = attributes()
      due.push(performance.now() + Math.max(0, ms + (Math.random() * 2 - 1) * jitter))
      held.add(item)
      schedule()
    }
    return {
      push: add,
      end: () => add('end'),
      detach: () => {
        clearTimeout(timer)
        held.passAll()
      },
      dispose: () => clearTimeout(timer),
    }
  },
}
