// Every family of faults.
import type { FaultFamily } from '../family.ts'
import { clock } from './clock.ts'
import { link } from './link.ts'
import { load } from './load.ts'
import { process } from './process.ts'
import { protocol } from './protocol.ts'
import { storage } from './storage.ts'

export const FAMILIES: readonly FaultFamily[] = [process, link, protocol, storage, clock, load]
