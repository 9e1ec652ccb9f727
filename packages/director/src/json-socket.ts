// Talks to a Unix socket that answers JSON lines with JSON lines: a node's management plane, or the supervisor.
import { connect } from 'node:net'

/** One request, one answer. Rejects when nobody answers within `timeoutMs`. */
export function askSocket<T>(path: string, request: unknown, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`))
    const fail = (why: string) => {
      socket.destroy()
      reject(new Error(`${path}: ${why}`))
    }
    socket.setTimeout(timeoutMs, () => fail(`no answer within ${timeoutMs} ms`))
    socket.setEncoding('utf8')
    socket.on('error', (error) => fail(error.message))
    socket.on('close', () => fail('closed without an answer'))
    socket.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0) return
      socket.removeAllListeners('close').destroy()
      resolve(JSON.parse(text.slice(0, end)) as T)
    })
  })
}

/** Every line that comes after `request`, until the returned function is called or the other side ends (`onEnd`). */
export function followSocket(path: string, request: unknown, onLine: (value: unknown) => void, onEnd: () => void): () => void {
  let text = ''
  const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`))
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('close', onEnd)
  socket.on('data', (chunk: string) => {
    text += chunk
    const lines = text.split('\n')
    text = lines.pop()!
    for (const line of lines) onLine(JSON.parse(line))
  })
  return () => socket.removeListener('close', onEnd).destroy()
}
