// An error answer: instead of what was asked (before), or although it was done (after).
import { type ErrorCode, Errors } from '@faultline/protocol'
import { errorAnswer, withErrors } from '../error-answer.ts'
import type { Decoded } from '../request-subject.ts'
import type { FaultyCall, Next, ProtocolKind } from './kind.ts'

export const error: ProtocolKind = {
  kind: 'error',
  act: (call, request, next) =>
    call.armed.text('stage', 'before') === 'after' ? after(call, request, next) : before(call, request, next),
}

async function before(call: FaultyCall, request: Decoded, next: Next) {
  if (!call.hit()) return next(request)
  const { api, subject, armed, context } = call
  const code = codeOf(call)
  const { topic, partition } = armed.fault.where
  const isPartial = topic !== undefined || partition !== undefined
  const parts = isPartial ? subject.matching(armed.fault.where) : subject.parts
  const rest = isPartial ? subject.without(parts) : undefined
  if (!rest) return errorAnswer(api, request, context.version, code, parts)
  const answer = await next(rest)
  return typeof answer === 'symbol' ? answer : withErrors(api, answer, context.version, code, parts)
}

async function after(call: FaultyCall, request: Decoded, next: Next) {
  const answer = await next(request)
  if (typeof answer === 'symbol' || !call.hit()) return answer
  const { api, subject, armed, context } = call
  const parts = subject.matching(armed.fault.where)
  return parts.length > 0
    ? withErrors(api, answer, context.version, codeOf(call), parts)
    : errorAnswer(api, request, context.version, codeOf(call), parts)
}

function codeOf({ armed }: FaultyCall): ErrorCode {
  const name = armed.text('error', 'UNKNOWN_SERVER_ERROR')
  return (Errors as Readonly<Record<string, ErrorCode>>)[name] ?? Errors.UNKNOWN_SERVER_ERROR
}
