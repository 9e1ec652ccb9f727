// What a client sees of faults of load.
import type { FaultRequestInput } from '@faultline/director'
import type { Stories, Story } from './story.ts'

function unnoticed(kind: string, parameters: FaultRequestInput['with'] = {}): Story {
  return {
    seen: 'nobody else notices',
    async show(stage) {
      await stage.hit(await stage.add('load', kind, { with: parameters }))
      await stage.sendOnce()
    },
  }
}

export const LOAD: Stories = {
  connections: unnoticed('connections', { count: 100 }),
  garbage: unnoticed('garbage'),
  'huge-request': unnoticed('huge-request'),
  'slow-reader': unnoticed('slow-reader'),
}
