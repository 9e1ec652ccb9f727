// The connection is closed when the request arrives; nothing of it is done.
import { CLOSE_CONNECTION } from '../../api/handler.ts'
import type { ProtocolKind } from './kind.ts'

export const disconnect: ProtocolKind = {
  kind: 'disconnect',
  act: async (call, request, next) => (call.hit() ? CLOSE_CONNECTION : next(request)),
}
