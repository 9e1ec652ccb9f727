// Whose connection it is, where the machine tells.
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Connections } from '../src/run/connections.ts'

let server: Server
let child: ChildProcess
let remotes: string[]

beforeEach(async () => {
  remotes = []
  const sockets: Socket[] = []
  server = createServer((socket) => {
    sockets.push(socket)
    remotes.push(`${socket.remoteAddress}:${socket.remotePort}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  // By way of a shell, as programs are started.
  const command = `"${process.execPath}" -e "require('net').connect(${port}, '127.0.0.1')"; true`
  child = spawn(command, { shell: true, detached: true, stdio: 'ignore' })
  await expect.poll(() => remotes.length, { timeout: 10_000 }).toBe(1)
})
afterEach(async () => {
  process.kill(-child.pid!, 'SIGKILL')
  await new Promise((resolve) => server.close(resolve))
})

describe.runIf(process.platform === 'linux')('a connection', () => {
  it('belongs to the copy whose process, or a child of it, has it', () => {
    const { port } = server.address() as { port: number }
    const connections = new Connections(`localhost:1,127.0.0.1:${port}`, () => [
      { name: 'app:1', pid: undefined },
      { name: 'app:2', pid: child.pid },
    ])
    connections.look()
    expect(connections.of(remotes[0]!)).toBe('app:2')
    expect(connections.of('127.0.0.1:1')).toBeUndefined()
  })

  it('to somewhere else is not looked at', () => {
    const connections = new Connections('127.0.0.1:1', () => [{ name: 'app:2', pid: child.pid }])
    connections.look()
    expect(connections.of(remotes[0]!)).toBeUndefined()
  })
})
