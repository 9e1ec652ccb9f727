// slicer: what comes is cut into pieces of about `average_size` bytes, `delay` microseconds apart.
import type { ToxicKind } from '../toxic.ts'
import { Held } from './held.ts'

export const slicer: ToxicKind = {
  type: 'slicer',
  attributes: { average_size: 0, size_variation: 0, delay: 0 },
  attach(attributes, output, link) {
    const held = new Held(output, link)
    let timer: NodeJS.Timeout | undefined
    const run = () => {
      timer = undefined
      const { delay = 0 } = attributes()
      held.pass()
      if (!held.isEmpty) timer = setTimeout(run, delay / 1000)
    }
    const add = (item: Buffer | 'end') => {
      held.add(item)
      timer ??= setTimeout(run, 0)
    }
    return {
      push: (chunk) => {
        const { average_size: average = 0, size_variation: variation = 0 } = attributes()
        for (let at = 0; at < chunk.length;) {
          const size = Math.max(1, Math.round((average || chunk.length) + (Math.random() * 2 - 1) * variation))
          add(chunk.subarray(at, at + size))
          at += size
        }
      },
      end: () => add('end'),
      detach: () => {
        clearTimeout(timer)
        held.passAll()
      },
      dispose: () => clearTimeout(timer),
    }
  },
}
