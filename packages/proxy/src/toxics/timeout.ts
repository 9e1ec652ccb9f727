// timeout: nothing gets through, what comes is gone; after `timeout` ms the connection closes, with 0 never.
import type { ToxicKind } from '../toxic.ts'

export const timeout: ToxicKind = {
  type: 'timeout',
  attributes: { timeout: 0 },
  attach(attributes, _output, link) {
    const ms = attributes()['timeout'] ?? 0
    const timer = ms > 0 ? setTimeout(() => link.close('end'), ms) : undefined
    return {
      push: () => {},
      end: () => {},
      // Bytes are missing: what comes later would make no sense.
      detach: () => {
        clearTimeout(timer)
        link.close('end')
      },
      dispose: () => clearTimeout(timer),
    }
  },
}
