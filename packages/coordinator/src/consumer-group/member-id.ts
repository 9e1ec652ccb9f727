// The id of a member that has none: one that nobody else has, in the text form of Kafka's uuids.
import type { Random } from '@faultline/base'
import { decodeUuid, UUID_BYTES } from '@faultline/protocol'

export function newConsumerMemberId(random: Random): string {
  // Kafka's never begin with a dash, which command lines would take for an option.
  for (;;) {
    const id = decodeUuid(random.bytes(UUID_BYTES))
    if (!id.startsWith('-')) return id
  }
}
