import type { AddressInfo } from 'node:net'
import { gauge } from '@faultline/base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Health, serveHttp } from '../src/metrics/http-server.ts'

describe('what a node serves over HTTP', () => {
  let health: Health = { serves: true, state: 'running', epoch: 7 }
  let server: Awaited<ReturnType<typeof serveHttp>>
  const ask = (path: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { method })

  beforeAll(async () => {
    const node = { families: () => [gauge('answer', 'The answer.', 42)], health: () => health }
    server = await serveHttp({ host: '127.0.0.1', port: 0 }, node)
  })
  afterAll(() => server.close())

  it('shows its metrics', async () => {
    const response = await ask('/metrics?name[]=answer')
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('# HELP answer The answer.\n# TYPE answer gauge\nanswer 42\n')
    expect(await (await ask('/metrics', 'HEAD')).text()).toBe('')
  })

  it('is well when it serves, and not when it is fenced', async () => {
    const well = await ask('/health')
    expect([well.status, await well.json()]).toEqual([200, { serves: true, state: 'running', epoch: 7 }])
    health = { serves: false, state: 'fenced' }
    const fenced = await ask('/health')
    expect([fenced.status, await fenced.json()]).toEqual([503, { serves: false, state: 'fenced' }])
  })

  it('has nothing else, and takes nothing', async () => {
    expect((await ask('/')).status).toBe(404)
    expect((await ask('/metrics', 'POST')).status).toBe(405)
  })
})
