// Every kind of fault once, in one cluster, beside a client that produces through all of them: what a client outside sees of each, that the
// hit is told, that healing restores service, and at the end that nothing acknowledged is lost. The same in every world.
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest'
import { CLOCK } from './clock.ts'
import { LINK } from './link.ts'
import { LOAD } from './load.ts'
import { PROCESS } from './process.ts'
import { PROTOCOL } from './protocol.ts'
import { Stage, type World } from './stage.ts'
import { STORAGE } from './storage.ts'
import type { Stories } from './story.ts'

export const STORIES: Readonly<Record<string, Stories>> = {
  process: PROCESS,
  link: LINK,
  protocol: PROTOCOL,
  storage: STORAGE,
  clock: CLOCK,
  load: LOAD,
}

/** Declares the tests. What is declared with `more` is played in the same cluster. */
export function showEveryKind(open: () => Promise<World>, more: (stage: () => Stage) => void = () => {}): void {
  let world: World | undefined
  let stage: Stage
  let isOver = false

  beforeAll(async () => {
    world = await open()
    stage = await Stage.on(world)
  })
  afterEach(async () => {
    if (!isOver) await stage.mend()
  })
  afterAll(() => world?.stop())

  for (const [family, stories] of Object.entries(STORIES))
    describe(family, () => {
      for (const [kind, { seen, show }] of Object.entries(stories)) it(`${family} ${kind}: ${seen}`, () => show(stage))
    })
  more(() => stage)

  it('nothing that was acknowledged through all of it is lost', async () => {
    isOver = true
    await stage.clear()
    await stage.traffic.expectAllThere()
  })
}
