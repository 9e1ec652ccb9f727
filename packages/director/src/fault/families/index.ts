// Every family of faults.
import type { FaultFamily } from '../family.ts'
import { link } from './link.ts'
import { process } from './process.ts'
import { protocol } from './protocol.ts'

export const FAMILIES: readonly FaultFamily[] = [process, link, protocol]
