// slow_close: the connection closes `delay` ms late.
import type { ToxicKind } from '../toxic.ts'

export const slowClose: ToxicKind = {
  type: 'slow_close',
  attributes: { delay: 0 },
  attach(attributes, output) {
    let timer: NodeJS.Timeout | undefined
    return {
      push: (chunk) => output.push(chunk),
      end: () => {
        timer = setTimeout(() => output.end(), attributes()['delay'])
      },
      detach: () => {
        if (timer === undefined) return
        clearTimeout(timer)
        output.end()
      },
      dispose: () => clearTimeout(timer),
    }
  },
}
