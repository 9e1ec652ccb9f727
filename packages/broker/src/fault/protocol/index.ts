// Every kind of protocol fault, in one file a kind.
import { blackhole } from './blackhole.ts'
import { capVersions } from './cap-versions.ts'
import { delay } from './delay.ts'
import { disconnect } from './disconnect.ts'
import { duplicate } from './duplicate.ts'
import { error } from './error.ts'
import type { ProtocolKind } from './kind.ts'
import { loseReply } from './lose-reply.ts'
import { metadata } from './metadata.ts'

const ALL = [blackhole, capVersions, delay, disconnect, duplicate, error, loseReply, metadata]

export const PROTOCOL_KINDS: ReadonlyMap<string, ProtocolKind> = new Map(ALL.map((kind) => [kind.kind, kind]))
