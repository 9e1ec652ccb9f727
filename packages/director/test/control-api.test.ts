// The control API beside its own description: every route is described, every description is a route, and answers are what it says.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { controlApp } from '../src/api/control-server.ts'
import { OPENAPI } from '../src/api/openapi.ts'
import { ClusterFolder } from '../src/cluster-folder.ts'
import type { FleetContext } from '../src/fleet.ts'
import { LocalFleet } from '../src/local-fleet.ts'
import { planCluster } from '../src/plan-cluster.ts'
import { PortMarks } from '../src/ports.ts'
import { Supervisor } from '../src/supervisor.ts'

const marks = new PortMarks()
let path: string
let supervisor: Supervisor

beforeAll(async () => {
  path = mkdtempSync(join(tmpdir(), 'faultline-api-'))
  const folder = new ClusterFolder(path)
  folder.prepare()
  const host = '127.0.0.1'
  folder.write(
    await planCluster({ brokers: 1, controllers: 1, port: 0, host, advertise: host, racks: [], settings: {}, fast: true }, marks),
  )
  // Its nodes are not started: what is asked here needs none.
  const world = (context: FleetContext) => new LocalFleet({ ...context, folder, program: path, detached: false })
  supervisor = new Supervisor(world, () => {})
})

afterAll(() => {
  marks.release()
  rmSync(path, { recursive: true, force: true })
})

const app = (token: string | null = null) => controlApp(supervisor, { token, onDown: () => {} })
const ask = async (
  method: string,
  url: string,
  options: { body?: string; token?: string; headers?: Record<string, string> } = {},
) => {
  const headers = { ...options.headers, ...(options.token ? { authorization: `Bearer ${options.token}` } : {}) }
  const init = { method, headers, ...(options.body === undefined ? {} : { body: options.body }) }
  const response = await app(options.token === undefined ? null : 'secret').request(url, init)
  return { status: response.status, body: (await response.json()) as never as Record<string, Record<string, unknown>> }
}

describe('the control API', () => {
  it('is described as it is', () => {
    const described = Object.entries(OPENAPI.paths).flatMap(([url, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${url}`),
    )
    const routes = app()
      .routes.filter((r) => r.method !== 'ALL' && r.path !== '/openapi.json')
      .map((r) => `${r.method} ${r.path.replace(/:(\w+)/g, '{$1}')}`)
    expect(routes.toSorted()).toEqual(described.toSorted())
  })

  it('answers nodes in the shape that is described', async () => {
    const { status, body } = await ask('GET', '/v1/nodes')
    expect(status).toBe(200)
    const { required } = OPENAPI.components.schemas.Node
    for (const node of body as never as object[]) expect(Object.keys(node)).toEqual(expect.arrayContaining([...required]))
  })

  it('refuses with a code, what happened and what to do', async () => {
    expect(await ask('GET', '/v1/nodes/broker:9')).toMatchObject({ status: 404, body: { refused: { code: 'UNKNOWN_NODE' } } })
    expect(await ask('POST', '/v1/nodes/broker:1/explode')).toMatchObject({
      status: 409,
      body: { refused: { code: 'BAD_ARGUMENT' } },
    })
    expect(await ask('POST', '/v1/faults', { body: '{"family"' })).toMatchObject({
      status: 409,
      body: { refused: { code: 'BAD_FAULT', message: 'the request is no JSON' } },
    })
    expect(await ask('GET', '/v1/nothing')).toMatchObject({ status: 404, body: { refused: { advice: 'see /openapi.json' } } })
  })

  it('asks for its token where it has one', async () => {
    expect((await ask('GET', '/v1/faults', { token: 'wrong' })).status).toBe(401)
    expect((await ask('GET', '/v1/faults', { token: 'secret' })).status).toBe(200)
  })

  it('sends events as they come, and those that a client has missed', async () => {
    supervisor.events.emit('first', { n: 1 })
    supervisor.events.emit('second', { n: 2 })
    const read = async (headers: Record<string, string>) => {
      const response = await app().request('/v1/events', { headers })
      const reader = response.body!.getReader()
      let text = ''
      while (!text.includes('event: second\n')) text += new TextDecoder().decode((await reader.read()).value)
      await reader.cancel()
      return text
    }
    const all = await read({})
    expect(all).toContain('event: first\n')
    const id = /id: (\d+)\n/.exec(all.slice(0, all.indexOf('"first"')))?.[1] ?? /event: first[^]*?id: (\d+)/.exec(all)![1]!
    expect(await read({ 'last-event-id': id })).not.toContain('event: first\n')
  })
})
