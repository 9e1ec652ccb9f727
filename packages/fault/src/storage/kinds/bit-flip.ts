// One bit of what is written is another on the disk, and nobody is told.
import { Prng } from '@faultline/base'
import type { StorageKind } from '../storage-kind.ts'

export const bitFlip: StorageKind = {
  kind: 'bit-flip',
  concerns: ({ name }) => name === 'write',
  write(bytes, write, armed) {
    const random = new Prng(armed.number('seed', 0) + armed.hits)
    const flipped = new Uint8Array(bytes)
    const at = random.below(flipped.length)
    flipped[at] = flipped[at]! ^ (1 << random.below(8))
    write(flipped)
  },
}
