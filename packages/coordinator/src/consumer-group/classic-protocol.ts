// What a member of a consumer group that speaks the classic protocol says of itself, in the format of consumers.
import { type ConsumerProtocolSubscription, decodeSubscription, MalformedError } from '@faultline/protocol'
import type { ConsumerMember } from './consumer-member.ts'

/** Of the first of its protocols; undefined for bytes that are none. */
export function subscriptionOf(
  protocols: readonly { readonly metadata: Uint8Array }[],
): ConsumerProtocolSubscription | undefined {
  try {
    return protocols[0] && decodeSubscription(protocols[0].metadata)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return undefined
  }
}

const NEWEST = 3

/** The version in which it is answered: the one that it speaks. */
export function consumerProtocolVersion({ classic }: ConsumerMember): number {
  const metadata = classic!.supportedProtocols[0]!.metadata
  return Math.min((metadata[0]! << 8) | metadata[1]!, NEWEST)
}

export function protocolNameOf({ classic }: ConsumerMember): string {
  return classic!.supportedProtocols[0]!.name
}
