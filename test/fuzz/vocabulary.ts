// The words that fuzzed requests are made of: what the cluster knows, what it does not, and what no cluster should be told. What answers
// teach (member ids, producer ids, fetch sessions) is said again later, so that requests reach beyond the first check.
import type { Prng } from '@faultline/base'
import { BROKER_CONFIGS, TOPIC_CONFIGS } from '@faultline/controller'
import { ZERO_UUID } from '@faultline/protocol'

/** Written and read only by the episode itself: what it acknowledges must stay. */
export const LEDGER = 'ledger'

const REMEMBERED = 12

export const ODD_STRINGS: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  'a/b',
  '../../etc/passwd',
  'null',
  '__proto__',
  'constructor',
  'toString',
  'a\0b',
  'é'.repeat(100),
  '\u{1F600}\ud800',
  'x'.repeat(249),
  'x'.repeat(250),
  'y'.repeat(5000),
  '%s%n',
  '-1',
  '9223372036854775807',
  'NaN',
]

const CONFIG_VALUES: readonly string[] = [
  '0',
  '1',
  '-1',
  '2',
  '100',
  '1048576',
  '2147483647',
  '9223372036854775807',
  '9223372036854775808',
  '0.5',
  '1e9',
  'true',
  'false',
  'delete',
  'compact',
  'compact,delete',
  'zstd',
  'gzip',
  'LogAppendTime',
  '*',
  '0:1,1:2',
  ',',
]

export const ODD_INT32: readonly number[] = [-0x8000_0000, -2, -1, 0, 1, 0x7fff, 0x8000, 0x7fff_fffe, 0x7fff_ffff]
export const ODD_INT64: readonly number[] = [
  -Number.MAX_SAFE_INTEGER,
  -0x8000_0001,
  -7,
  -6,
  -5,
  -4,
  -3,
  -2,
  -1,
  0,
  1,
  1_700_000_000_000,
  Number.MAX_SAFE_INTEGER,
]

export interface Membership {
  readonly groupId: unknown
  readonly memberId: unknown
  readonly generationId: unknown
}

export class Vocabulary {
  readonly random: Prng
  /** Ids of topics as they are now. */
  readonly topicIds: () => readonly string[]
  readonly memberIds: string[] = ['']
  readonly producerIds: number[] = [-1]
  readonly memberships: Membership[] = []
  readonly sessions: { id: number; epoch: number }[] = []

  constructor(random: Prng, topicIds: () => readonly string[]) {
    this.random = random
    this.topicIds = topicIds
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)]!
  }

  chance(of: number): boolean {
    return this.random.next() < of
  }

  topic(): string {
    return this.pick(['orders', 'orders', 'payments', 'payments', 'compacted', 'brief', '__consumer_offsets', 'missing'])
  }

  topicId(): string {
    const known = this.topicIds()
    return known.length > 0 && this.chance(0.8) ? this.pick(known) : this.chance(0.3) ? ZERO_UUID : this.uuid()
  }

  uuid(): string {
    return Buffer.from(this.random.bytes(16)).toString('base64url')
  }

  configName(): string {
    return this.pick([...TOPIC_CONFIGS.keys(), ...TOPIC_CONFIGS.keys(), ...BROKER_CONFIGS.keys(), 'no.such.config'])
  }

  configValue(): string {
    return this.pick(CONFIG_VALUES)
  }

  remember<T>(list: T[], word: T): void {
    if (list.includes(word)) return
    // The first word of a list is there from the start and stays.
    if (list.length >= REMEMBERED) list.splice(1, 1)
    list.push(word)
  }
}
