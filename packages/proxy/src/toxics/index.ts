// Every toxic of Toxiproxy, in one file a type.
import type { ToxicKind } from '../toxic.ts'
import { bandwidth } from './bandwidth.ts'
import { latency } from './latency.ts'
import { limitData } from './limit-data.ts'
import { resetPeer } from './reset-peer.ts'
import { slicer } from './slicer.ts'
import { slowClose } from './slow-close.ts'
import { timeout } from './timeout.ts'

const ALL = [bandwidth, latency, limitData, resetPeer, slicer, slowClose, timeout]

export const KINDS: ReadonlyMap<string, ToxicKind> = new Map(ALL.map((kind) => [kind.type, kind]))
