// What was asked is done, and the client never hears of it: the connection is closed instead (TCP cannot lose one answer in the middle), or
// that answer and all after it are withheld.
import { CLOSE_CONNECTION, NO_RESPONSE } from '../../api/handler.ts'
import { neverAnswered, type ProtocolKind } from './kind.ts'

export const loseReply: ProtocolKind = {
  kind: 'lose-reply',
  async act(call, request, next) {
    const answer = await next(request)
    if (answer === NO_RESPONSE || !call.hit()) return answer
    return call.armed.text('mode', 'close') === 'withhold' ? neverAnswered(call) : CLOSE_CONNECTION
  },
}
