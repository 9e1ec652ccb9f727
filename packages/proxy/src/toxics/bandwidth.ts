// bandwidth: at most `rate` KB a second.
import type { ToxicKind } from '../toxic.ts'
import { Held } from './held.ts'

/** Larger chunks are let through in pieces, so that they do not come in bursts. */
const PIECE_MS = 100

export const bandwidth: ToxicKind = {
  type: 'bandwidth',
  attributes: { rate: 0 },
  attach(attributes, output, link) {
    const held = new Held(output, link)
    let timer: NodeJS.Timeout | undefined
    /** When the last piece that was let through is over. */
    let freeAt = 0
    const run = () => {
      timer = undefined
      if (held.isEmpty) return
      const now = performance.now()
      const rate = Math.max(0, attributes()['rate'] ?? 0)
      const { first } = held
      const ms = first === 'end' || rate === 0 ? (rate === 0 ? PIECE_MS : 0) : first!.length / rate
      freeAt = Math.max(now, freeAt) + ms
      // A rate of nothing lets nothing through, until it is changed.
      timer = setTimeout(() => {
        if (rate > 0) held.pass()
        run()
      }, freeAt - now)
    }
    const start = () => {
      if (timer === undefined) run()
    }
    return {
      push: (chunk) => {
        const piece = Math.max(1, Math.floor((attributes()['rate'] ?? 0) * PIECE_MS) || chunk.length)
        for (let at = 0; at < chunk.length; at += piece) held.add(chunk.subarray(at, at + piece))
        start()
      },
      end: () => {
        held.add('end')
        start()
      },
      detach: () => {
        clearTimeout(timer)
        held.passAll()
      },
      dispose: () => clearTimeout(timer),
    }
  },
}
