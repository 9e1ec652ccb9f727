// reset_peer: the connection is reset, `timeout` ms after the toxic or the connection came; what it sends until then is gone.
import type { ToxicKind } from '../toxic.ts'

export const resetPeer: ToxicKind = {
  type: 'reset_peer',
  attributes: { timeout: 0 },
  attach(attributes, _output, link) {
    const timer = setTimeout(() => link.close('reset'), attributes()['timeout'])
    return {
      push: () => {},
      end: () => {},
      detach: () => {
        clearTimeout(timer)
        link.close('reset')
      },
      dispose: () => clearTimeout(timer),
    }
  },
}
