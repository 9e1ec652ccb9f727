// ApiVersions says that an API is served up to a lower version only, as an older broker would.
import { apiVersions } from '@faultline/protocol'
import type { Decoded } from '../request-subject.ts'
import type { ProtocolKind } from './kind.ts'

interface Range extends Decoded {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

export const capVersions: ProtocolKind = {
  kind: 'cap-versions',
  async act(call, request, next) {
    const answer = await next(request)
    if (call.api.key !== apiVersions.key || typeof answer === 'symbol' || !call.hit()) return answer
    const capped = call.armed.text('api', '')
    const max = call.armed.number('max', 0)
    const key = [...call.context.broker.handlers.values()].find((h) => h.api.name === capped)?.api.key
    const cap = (range: Range) =>
      range.apiKey === key ? { ...range, maxVersion: Math.max(range.minVersion, Math.min(range.maxVersion, max)) } : range
    return { ...answer, apiKeys: (answer['apiKeys'] as Range[]).map(cap) }
  },
}
