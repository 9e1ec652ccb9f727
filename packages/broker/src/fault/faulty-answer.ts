// The way of a request through the protocol faults that are armed and match it; the first one armed is the outermost.
import type { ArmedFault } from '@faultline/fault'
import { type Answer, type ApiHandler, encodeAnswer, type RequestContext } from '../api/handler.ts'
import type { FaultyConnection, Next } from './protocol/kind.ts'
import { PROTOCOL_KINDS } from './protocol/index.ts'
import { type Decoded, RequestSubject } from './request-subject.ts'

/** Throws MalformedError, as a handler does. */
export async function faultyAnswer(
  handler: ApiHandler,
  body: Uint8Array,
  context: RequestContext,
  connection: FaultyConnection,
): Promise<Answer<Uint8Array[]>> {
  const { api } = handler
  const { broker, version } = context
  const request = api.request.decode(body, version) as Decoded
  const subject = new RequestSubject(api, request, (id) => broker.image.topicsById.get(id)?.name)
  const armed = broker.faults.of('protocol').filter((a) => concerns(a, api.name, context.clientId, subject))
  if (armed.length === 0) return handler.answer(body, context)
  // Duplicates are delivered from what came, which handling changes in place.
  const original = new Uint8Array(body)
  const handle: Next = async (r) => (await handler.handle(r, context)) as Answer<Decoded>
  const step = armed.reduceRight<Next>((next, fault) => {
    const kind = PROTOCOL_KINDS.get(fault.fault.kind)
    if (!kind) return next
    const hit = () => broker.faults.hit(fault, occasion(api.name, context, subject, fault))
    return (r) => kind.act({ armed: fault, api, context, subject, body: original, hit, connection }, r, next)
  }, handle)
  return encodeAnswer(api, await step(request), context)
}

function concerns({ fault }: ArmedFault, api: string, clientId: string | null, subject: RequestSubject): boolean {
  const { where } = fault
  if (where.apis && !where.apis.includes(api)) return false
  if (where.clientId !== undefined && where.clientId !== clientId) return false
  return subject.matches(where)
}

/** What a hit is told with. */
function occasion(api: string, { clientId }: RequestContext, subject: RequestSubject, { fault }: ArmedFault) {
  const [part] = subject.matching(fault.where)
  return {
    api,
    client: clientId,
    ...(part ? { topic: part.topic, partition: part.partition ?? null } : {}),
    ...(subject.groups.length > 0 ? { group: subject.groups[0]! } : {}),
    ...(subject.transactionalIds.length > 0 ? { transactionalId: subject.transactionalIds[0]! } : {}),
  }
}
