// A director that is started again goes on with what was armed: same ids, same nodes, the time to live that is left, hits counted once.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../test/support/cluster.ts'
import { ClusterEvents } from '../src/events/cluster-events.ts'
import { FaultBook } from '../src/fault/fault-book.ts'
import { FaultFile } from '../src/fault/fault-file.ts'
import type { Fleet } from '../src/fleet.ts'

describe('a fault book on a file', () => {
  let folder: string
  let leader: string
  let acts: string[]
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-test-'))
    leader = 'broker:1'
    acts = []
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** As much of a fleet as faults ask: two brokers, who leads, what was done to whom. */
  const fleet = {
    nodes: [{ name: 'broker:1' }, { name: 'broker:2' }],
    get tallyFolder() {
      return folder
    },
    namesOf: () => ['broker:1', 'broker:2'],
    resolve: async (selector: string) => ({ name: selector === 'leader:orders-0' ? leader : selector, state: 'exited' }),
    checkActs: () => {},
    act: async (verb: string, { name }: { name: string }) => void acts.push(`${verb} ${name}`),
    start: async ({ name }: { name: string }) => void acts.push(`start ${name}`),
    manage: async (_: string, { verb }: { verb: string }) => (verb === 'faults' ? [] : { armed: true }),
  } as never as Fleet

  const path = () => join(folder, 'faults.json')
  const open = async () => {
    const events = new ClusterEvents()
    const book = new FaultBook(fleet, events, new FaultFile(path()))
    await book.restore()
    return { book, events }
  }
  const saved = (what: (text: string) => boolean) =>
    until('what is saved', async () => existsSync(path()) && what(readFileSync(path(), 'utf8')))

  it('keeps nodes that were killed, and does not kill again', async () => {
    const first = await open()
    const { id } = await first.book.add({ family: 'process', kind: 'kill', node: 'leader:orders-0' })
    await saved((text) => text.includes('"broker:1"'))
    leader = 'broker:2'
    const second = await open()
    expect(await second.book.list()).toMatchObject([{ id, state: 'armed', nodes: ['broker:1'], hits: 1 }])
    expect(acts).toEqual(['kill broker:1'])
    await second.book.heal(id)
    expect(acts).toEqual(['kill broker:1', 'start broker:1'])
    expect((await second.book.add({ family: 'process', kind: 'kill', node: 'broker:2' })).id).toBe('f2')
  })

  it('keeps what a role meant, the time that is left, and counts no hit twice', async () => {
    const first = await open()
    const request = { family: 'protocol', kind: 'delay', node: 'leader:orders-0', ttl: '1h' } as const
    const { id } = await first.book.add(request)
    const hit = { t: 1000, node: 'broker:1', event: 'fault.hit', fault: id, family: 'protocol', kind: 'delay' }
    first.events.add(hit)
    await saved((text) => text.includes('"hits":1'))
    leader = 'broker:2'
    const second = await open()
    for (const t of [1000, 1001]) second.events.add({ ...hit, t })
    const [fault] = await second.book.list()
    expect(fault).toMatchObject({ id, nodes: ['broker:1'], hits: 2, state: 'armed' })
    expect(fault!.ttlLeftMs).toBeGreaterThan(3_500_000)
    expect(second.book.armedFor('broker:1')).toMatchObject([{ id }])
    await second.book.healAll()
  })

  it('ends what was over while nobody watched', async () => {
    const first = await open()
    const { id } = await first.book.add({ family: 'protocol', kind: 'delay', ttl: 300 })
    await saved((text) => text.includes(id))
    const second = await open()
    await until('its end', async () => second.book.get(id).state === 'expired')
    expect(second.book.armedFor('broker:1')).toEqual([])
  })

  it('forgets what is healed', async () => {
    const first = await open()
    await first.book.add({ family: 'protocol', kind: 'delay' })
    await first.book.healAll()
    await saved((text) => text.includes('"faults":[]'))
    expect(await (await open()).book.list()).toEqual([])
  })
})
