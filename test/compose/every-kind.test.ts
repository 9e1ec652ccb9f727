// Every kind of fault in containers; what cannot be had there is refused at once.
import { describe, expect, inject, it } from 'vitest'
import { showEveryKind } from '../kinds/index.ts'
import { ComposeCluster } from './compose-cluster.ts'

const lacks = inject('lacks')

describe.skipIf(lacks !== '')(`every kind of fault under Compose${lacks && ` (${lacks})`}`, () => {
  showEveryKind(
    () => ComposeCluster.start(inject('image')),
    (stage) =>
      it.each([{}, { in: '1h' }, { when: 'isr(orders-0).size = 1' }])('process wipe is refused, %j', async (moment) => {
        const before = await stage().control.faults()
        await expect(stage().add('process', 'wipe', { node: 'leader:orders-0', ...moment })).rejects.toThrow(
          'nodes are containers: the director does not reach their disks',
        )
        expect((await stage().control.faults()).length).toBe(before.length)
      }),
  )
})
