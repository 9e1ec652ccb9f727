// The control API's client against servers that are no good.
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ControlClient } from '../src/control-client.ts'

let server: Server | undefined
afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))))

async function clientOf(serve: (socket: Socket) => void): Promise<ControlClient> {
  server = createServer((socket) => {
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return new ControlClient(`http://127.0.0.1:${port}`, null, 'start it')
}

const answer = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`

describe('the client of the control API', () => {
  it('hears of each connection that is closed before anything is answered', async () => {
    let connections = 0
    const client = await clientOf((socket) => {
      connections++
      if (connections <= 20) socket.destroy()
      else socket.once('data', () => socket.end(answer('{"clusterId":"a"}')))
    })
    for (let i = 0; i < 20; i++) await expect(client.call('GET', '')).rejects.toMatchObject({ code: 'NO_CLUSTER' })
    expect(await client.call('GET', '')).toEqual({ clusterId: 'a' })
  })

  it('knows an answer that is not of ours', async () => {
    const client = await clientOf((socket) => socket.once('data', () => socket.end(answer('<html>'))))
    await expect(client.call('GET', '')).rejects.toThrow(/no control API of Faultline/)
  })

  it('says why nobody can be reached', async () => {
    const client = await clientOf(() => {})
    await new Promise((resolve) => server!.close(resolve))
    server = undefined
    await expect(client.call('GET', '')).rejects.toThrow(/cannot be reached: .*ECONNREFUSED/)
  })
})
