// What storage faults and failpoints do that only a machine can.
import type { StorageMachine } from '@faultline/fault'

/** Longer than any fault lives. */
const FOREVER_MS = 24 * 3600 * 1000

export const MACHINE: StorageMachine = {
  crash: () => {
    process.kill(process.pid, 'SIGKILL')
    // The signal is on its way; nothing more may happen until it is here.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FOREVER_MS)
  },
}
