// The compose file of a cluster of any size is the one that people start by hand: nothing is in it that is not there, but more of the same.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { composeFileOf } from '../src/worlds/compose-file.ts'

const TEXT = readFileSync(join(import.meta.dirname, '../../../docker/compose.yaml'), 'utf8')
const ENGINE = { socket: '/run/docker.sock', group: 998 }

function fileOf(brokers: number, controllers: number) {
  const ports = Array.from({ length: brokers + 1 }, (_, i) => 30_000 + i)
  const settings = { 'min.insync.replicas': '2', 'log.retention.hours': '1' }
  return JSON.parse(composeFileOf(TEXT, { brokers, controllers, ports, fast: true, settings, engine: ENGINE }))
}

describe('the compose file of an experiment', () => {
  it('is that of people, where the size is the same, but for ports, settings and the engine', () => {
    const { services, networks, volumes } = parse(TEXT, { merge: true })
    const { prometheus: _, grafana: __, ...theirs } = services
    const ours = fileOf(3, 3)
    expect(ours.networks).toEqual(networks)
    expect(ours.volumes).toEqual(volumes)
    const { toxiproxy, director, ...nodes } = ours.services
    const { toxiproxy: theirProxy, director: theirDirector, ...theirNodes } = theirs
    expect(nodes).toEqual(theirNodes)
    expect({ ...toxiproxy, ports: theirProxy.ports }).toEqual(theirProxy)
    const { environment, ports, volumes: folders } = theirDirector
    const { group_add, ...rest } = director
    expect({ ...rest, environment, ports, volumes: folders }).toEqual(theirDirector)
    expect([group_add, director.volumes.at(-1)]).toEqual([['998'], '/run/docker.sock:/var/run/docker.sock'])
    expect(Object.keys(director.environment)).toEqual(Object.keys(environment))
  })

  it('has the ports and settings that were chosen', () => {
    const { toxiproxy, director } = fileOf(3, 3).services
    expect(toxiproxy.ports).toEqual(['127.0.0.1:30000:19092', '127.0.0.1:30001:19093', '127.0.0.1:30002:19094'])
    expect(director.ports).toEqual(['127.0.0.1:30003:8080'])
    expect(director.environment).toMatchObject({
      FAULTLINE_HOST_PORTS: '30000,30001,30002',
      FAULTLINE_SETTINGS: 'min.insync.replicas=2 log.retention.hours=1',
      FAULTLINE_FAST: 'true',
    })
  })

  it('has as many nodes as are wanted, each with a network and a disk of its own', () => {
    const { services, networks, volumes } = fileOf(5, 1)
    const nodes = ['controller-101', 'broker-1', 'broker-2', 'broker-3', 'broker-4', 'broker-5']
    expect(Object.keys(services)).toEqual(['toxiproxy', 'director', ...nodes])
    expect(Object.keys(networks)).toEqual(['clients', 'management', ...nodes])
    expect(Object.keys(volumes)).toEqual(['director', 'management', ...nodes])
    expect(services['broker-5']).toMatchObject({
      hostname: 'broker-5',
      command: ['node', 'broker-5'],
      depends_on: ['toxiproxy', 'director', 'controller-101'],
      networks: { 'broker-5': { aliases: ['broker-5.node'] } },
      volumes: ['broker-5:/var/lib/faultline', 'management:/run/faultline'],
    })
    expect(services.toxiproxy.networks).toMatchObject({ 'broker-5': null, clients: { aliases: nodes.slice(1) } })
    expect(services.director.environment).toMatchObject({ FAULTLINE_BROKERS: '1,2,3,4,5', FAULTLINE_CONTROLLERS: '101' })
  })
})
