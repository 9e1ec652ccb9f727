// A client that asks and never reads: at some point the broker does not read from it either.
import { encodeFrame, encodeRequestHeader, metadata } from '@faultline/protocol'
import { keepConnecting, type LoadKind } from './load-kind.ts'

const VERSION = 8
const EVERY_MS = 10
const AT_ONCE = 20
/** So many answers that nobody reads are a hit. */
const OWED = 1000

export const slowReader: LoadKind = {
  kind: 'slow-reader',
  start(target, _parameter, hit) {
    let timer: NodeJS.Timeout | undefined
    const body = metadata.request.encode({ topics: null }, VERSION)
    const frame = (correlationId: number) => {
      const header = encodeRequestHeader({ apiKey: metadata.key, apiVersion: VERSION, correlationId, clientId: 'slow-reader' })
      return Buffer.concat(encodeFrame(header, body))
    }
    const stop = keepConnecting(
      target,
      (socket) => {
        let asked = 0
        socket.pause()
        timer = setInterval(() => {
          // It reads no more from us: then we need not send more.
          if (socket.writableNeedDrain) return
          for (let i = 0; i < AT_ONCE; i++) socket.write(frame(asked++))
          if (asked === OWED) hit({ owedAnswers: asked })
        }, EVERY_MS)
      },
      () => clearInterval(timer),
    )
    return () => {
      clearInterval(timer)
      stop()
    }
  },
}
