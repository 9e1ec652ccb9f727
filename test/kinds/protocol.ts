// What a client sees of faults of the protocol.
import type { FaultRequestInput, FaultView } from '@faultline/director'
import { apiVersions, produce } from '@faultline/protocol'
import { expect } from 'vitest'
import { until } from '../support/cluster.ts'
import { msOf, type Stage } from './stage.ts'
import type { Stories } from './story.ts'

/** The next Produce of the client that is to feel it. */
function once(stage: Stage, kind: string, parameters: FaultRequestInput['with'] = {}): Promise<FaultView> {
  return stage.add('protocol', kind, { where: { clientId: 'probe', apis: ['Produce'] }, with: parameters, count: 1 })
}

export const PROTOCOL: Stories = {
  error: {
    seen: 'the client is told so, and nothing is done',
    async show(stage) {
      const before = (await stage.sendOnce()).baseOffset
      await stage.hitBy(await once(stage, 'error', { error: 'INVALID_RECORD' }), () =>
        expect(stage.tryOnce()).rejects.toMatchObject({ type: 'INVALID_RECORD' }),
      )
      expect((await stage.sendOnce()).baseOffset).toBe(before + 1)
    },
  },
  delay: {
    seen: 'an answer is late, also when it is the last that is to be',
    async show(stage) {
      await stage.hitBy(await once(stage, 'delay', { ms: 400 }), async () =>
        expect(await msOf(() => stage.sendOnce())).toBeGreaterThan(390),
      )
    },
  },
  'lose-reply': {
    seen: 'it is done, and the client cannot know',
    async show(stage) {
      const before = (await stage.sendOnce()).baseOffset
      await stage.hitBy(await once(stage, 'lose-reply'), () => expect(stage.tryOnce()).rejects.toThrow())
      expect((await stage.sendOnce()).baseOffset).toBe(before + 2)
    },
  },
  disconnect: {
    seen: 'it is not done, and the connection is closed',
    async show(stage) {
      const before = (await stage.sendOnce()).baseOffset
      await stage.hitBy(await once(stage, 'disconnect'), () => expect(stage.tryOnce()).rejects.toThrow())
      expect((await stage.sendOnce()).baseOffset).toBe(before + 1)
    },
  },
  blackhole: {
    seen: 'silence, until it is healed',
    async show(stage) {
      const fault = await once(stage, 'blackhole')
      let over = false
      const sent = stage
        .tryOnce()
        .catch(() => undefined)
        .finally(() => (over = true))
      await until('its count', async () => (await stage.viewOf(fault)).state === 'spent')
      await stage.traffic.more(10)
      expect(over).toBe(false)
      await stage.control.healAll()
      await sent
      await stage.sendOnce()
    },
  },
  duplicate: {
    seen: 'a record is there twice',
    async show(stage) {
      const before = (await stage.sendOnce()).baseOffset
      await stage.hitBy(await once(stage, 'duplicate'), () => stage.sendOnce())
      expect((await stage.sendOnce()).baseOffset).toBe(before + 3)
    },
  },
  metadata: {
    seen: 'the client is sent to a broker that does not lead',
    async show(stage) {
      const where = { topic: 'probed', clientId: 'probe' }
      const fault = await stage.add('protocol', 'metadata', { where, with: { mode: 'wrong-leader' } })
      await stage.hitBy(fault, () => expect(stage.tryOnce()).rejects.toThrow('not the leader'))
      await stage.control.healAll()
      await stage.sendOnce()
    },
  },
  'cap-versions': {
    seen: 'a broker that seems older',
    async show(stage) {
      const maximum = () =>
        stage.onConnection('broker:1', async (c) => {
          const { apiKeys } = await c.request(apiVersions, 4, { clientSoftwareName: 'probe', clientSoftwareVersion: '1' })
          return apiKeys.find((k) => k.apiKey === produce.key)!.maxVersion
        })
      const before = await maximum()
      const fault = await stage.add('protocol', 'cap-versions', { with: { api: 'Produce', max: 7 } })
      await stage.hitBy(fault, async () => expect(await maximum()).toBe(7))
      await stage.sendOnce()
      await stage.control.healAll()
      expect(await maximum()).toBe(before)
    },
  },
}
