// What a client sees of faults of processes.
import type { ClusterEvent } from '@faultline/director'
import { expect } from 'vitest'
import { until } from '../support/cluster.ts'
import { describeTopics, produceTo, sinceBegun } from './stage.ts'
import type { Stories } from './story.ts'

export const PROCESS: Stories = {
  kill: {
    seen: 'another broker leads',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower()
      await stage.hit(await stage.add('process', 'kill', { node: 'leader:probed-0' }))
      expect((await stage.node(leader)).state).toBe('stopped (SIGKILL)')
      await stage.leaderAfter(leader)
      await stage.sendOnce()
    },
  },
  terminate: {
    seen: 'leaderships move first, and it ends in order',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower()
      await stage.hit(await stage.add('process', 'terminate', { node: leader }))
      expect((await stage.node(leader)).state).toBe('stopped (exit code 0)')
      await stage.sendOnce()
    },
  },
  pause: {
    seen: 'its connections are silent until it goes on',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower()
      await stage.onConnection(leader, async (connection) => {
        await describeTopics(connection)
        await stage.hit(await stage.add('process', 'pause', { node: leader }))
        expect((await stage.node(leader)).state).toBe('paused')
        let answered = false
        const answer = describeTopics(connection).then(() => (answered = true))
        await stage.leaderAfter(leader)
        expect(answered).toBe(false)
        await stage.control.healAll()
        await answer
      })
    },
  },
  restart: {
    seen: 'it ends in order, and is back',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower()
      const fault = await stage.onConnection(leader, async (connection) => {
        await describeTopics(connection)
        const restart = await stage.add('process', 'restart', { node: leader })
        await expect(describeTopics(connection)).rejects.toThrow()
        return restart
      })
      await stage.hit(fault)
      const told = (name: string) => stage.since(fault).find((e) => e.event === name && e['name'] === leader)
      await until('its start', async () => told('process.start'))
      expect(told('process.exit')).toMatchObject({ how: 'exit code 0' })
      await stage.becomes(leader, /^running$/)
      await stage.onConnection(leader, describeTopics)
    },
  },
  roll: {
    seen: 'one broker after the other is restarted, each when all before it are in sync',
    async show(stage) {
      const fault = await stage.add('process', 'roll')
      expect(fault.nodes).toEqual(['broker:1', 'broker:2', 'broker:3'])
      await until('its end', async () => (await stage.viewOf(fault)).state === 'spent', 60_000)
      expect(rollOf(stage.events, fault.id)).toEqual([1, 2, 3].flatMap((b) => [`exit broker:${b}`, `done broker:${b}`]))
      expect(await stage.viewOf(fault)).toMatchObject({ hits: 3, lastHit: { node: 'broker:3' } })
      expect(Math.min(...stage.isrSizes(fault))).toBe(2)
    },
  },
  'crash-at-point': {
    seen: 'it is dead when its code comes there',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower()
      const where = { point: 'produce.appended' }
      await stage.hitBy(await stage.add('process', 'crash-at-point', { node: leader, where, count: 1 }), () => stage.sendOnce())
      await stage.becomes(leader, /SIGKILL/)
    },
  },
  'pause-at-point': {
    seen: 'it stands still when its code comes there',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower()
      const where = { point: 'produce.appended' }
      const fault = await stage.add('process', 'pause-at-point', { node: leader, where, count: 1 })
      await stage.onConnection(leader, async (connection) => {
        let answered = false
        void produceTo(connection, 'probed', new Uint8Array(1)).then(
          () => (answered = true),
          () => {},
        )
        await stage.hit(fault)
        await stage.leaderAfter(leader)
        expect(answered).toBe(false)
      })
    },
  },
}

/** What happened to whom since a roll began, in order: "exit broker:1", "done broker:1". */
export function rollOf(events: readonly ClusterEvent[], fault: string): string[] {
  return sinceBegun(events, fault).flatMap((e) => {
    if (e.event === 'process.exit') return [`exit ${String(e['name'])}`]
    return e.event === 'fault.progress' ? [`done ${String(e['node'])}`] : []
  })
}
