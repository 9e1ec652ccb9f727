// limit_data: the connection closes when `bytes` have got through.
import type { ToxicKind } from '../toxic.ts'

export const limitData: ToxicKind = {
  type: 'limit_data',
  attributes: { bytes: 0 },
  attach(attributes, output, link) {
    let passed = 0
    return {
      push: (chunk) => {
        const left = (attributes()['bytes'] ?? 0) - passed
        passed += chunk.length
        if (left > 0) output.push(chunk.subarray(0, left))
        if (chunk.length >= left) link.close('end')
      },
      end: () => output.end(),
      detach: () => {},
      dispose: () => {},
    }
  },
}
