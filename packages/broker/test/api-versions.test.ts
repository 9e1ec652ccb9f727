// ApiVersions, DescribeCluster, DescribeQuorum: what a client asks first. And that what is advertised is what is there.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  apiVersions,
  decodeResponseHeader,
  describeCluster,
  describeQuorum,
  encodeFrame,
  encodeRequestHeader,
  Errors,
} from '@faultline/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { HANDLERS } from '../src/api/index.ts'
import { RawClient, Scene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await Scene.start({ brokers: 2 })
})

const SOFTWARE = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }

describe('ApiVersions', () => {
  it.each([0, 1, 2, 3, 4, 5])('advertises in version %i the handler files that are there', async (version) => {
    const { apiKeys, errorCode } = await scene.ask(apiVersions, version, version >= 3 ? SOFTWARE : {})
    expect(errorCode).toBe(Errors.NONE)
    const files = readdirSync(join(import.meta.dirname, '../src/api')).flatMap((name) => /^(\d\d)-/.exec(name)?.[1] ?? [])
    expect(apiKeys.map((a) => a.apiKey)).toEqual(files.map(Number).sort((a, b) => a - b))
    for (const { apiKey, minVersion, maxVersion } of apiKeys) {
      const { api } = HANDLERS.find((h) => h.api.key === apiKey)!
      // Old Produce versions are advertised for the sake of a librdkafka bug (KAFKA-18659).
      expect([minVersion, maxVersion]).toEqual([apiKey === 0 ? 0 : api.minVersion, api.maxVersion])
    }
  })

  it('is named after its file', () => {
    const files = readdirSync(join(import.meta.dirname, '../src/api')).filter((name) => /^\d\d-/.test(name))
    const kebab = (name: string) => name.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase()
    expect(HANDLERS.map(({ api }) => `${String(api.key).padStart(2, '0')}-${kebab(api.name)}.ts`).sort()).toEqual(files.sort())
  })

  it('answers a version of the future in version 0, with the versions that there are', async () => {
    const client = new RawClient(scene.dial())
    const header = encodeRequestHeader({ apiKey: 18, apiVersion: 99, correlationId: 5, clientId: 'test' })
    client.send(...encodeFrame(header, [Uint8Array.of(0)]))
    await scene.pass(50)
    const { bodyOffset, correlationId } = decodeResponseHeader(client.frames[0]!, 18, 0)
    expect(correlationId).toBe(5)
    expect(apiVersions.response.decode(client.frames[0]!.subarray(bodyOffset), 0)).toMatchObject({
      errorCode: Errors.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 5 }],
    })
    expect(client.closed).toBe(false)
  })

  it.each(['', '-a', 'a-', 'a b', 'é', '.'])('refuses software that is called %j', async (name) => {
    const code = async (request: object) => (await scene.ask(apiVersions, 4, { ...SOFTWARE, ...request })).errorCode
    expect(await code({ clientSoftwareName: name })).toBe(Errors.INVALID_REQUEST)
    expect(await code({ clientSoftwareVersion: name })).toBe(Errors.INVALID_REQUEST)
  })

  it('sends a client that looks for another cluster or node back to its start', async () => {
    const { clusterId } = scene.world.broker(1)!
    const code = async (asked: string | null, nodeId: number) =>
      (await scene.ask(apiVersions, 5, { ...SOFTWARE, clusterId: asked, nodeId })).errorCode
    expect(await code(null, -1)).toBe(Errors.NONE)
    expect(await code(clusterId, 1)).toBe(Errors.NONE)
    expect(await code(clusterId, 2)).toBe(Errors.REBOOTSTRAP_REQUIRED)
    expect(await code('another', 1)).toBe(Errors.REBOOTSTRAP_REQUIRED)
    expect(await code(clusterId, -1)).toBe(Errors.INVALID_REQUEST)
    expect(await code(null, 1)).toBe(Errors.INVALID_REQUEST)
  })

  it('tells the features of the cluster', async () => {
    const { finalizedFeatures, finalizedFeaturesEpoch } = await scene.ask(apiVersions, 4, SOFTWARE)
    expect(finalizedFeatures.map((f) => f.name)).toContain('metadata.version')
    expect(finalizedFeaturesEpoch).toBeGreaterThanOrEqual(0)
  })
})

describe('DescribeCluster', () => {
  it('tells the brokers; controllers are not to be asked for here', async () => {
    const found = await scene.ask(describeCluster, 2, { endpointType: 1 })
    expect(found).toMatchObject({ errorCode: Errors.NONE, clusterId: scene.world.broker(1)!.clusterId, endpointType: 1 })
    expect(found.brokers.map((b) => b.brokerId).sort()).toEqual([1, 2])
    expect([1, 2]).toContain(found.controllerId)
    const code = async (endpointType: number) => (await scene.ask(describeCluster, 1, { endpointType })).errorCode
    expect(await code(2)).toBe(Errors.MISMATCHED_ENDPOINT_TYPE)
    expect(await code(3)).toBe(Errors.UNSUPPORTED_ENDPOINT_TYPE)
  })

  it('tells fenced brokers when it is asked for them', async () => {
    const settings = { 'broker.session.timeout.ms': '1000', 'broker.heartbeat.interval.ms': '200' }
    const fencing = await Scene.start({ brokers: 2, settings })
    fencing.world.crash(2)
    await fencing.pass(3000)
    const brokers = async (includeFencedBrokers: boolean) =>
      (await fencing.ask(describeCluster, 2, { includeFencedBrokers })).brokers.map((b) => [b.brokerId, b.isFenced]).sort()
    expect(await brokers(false)).toEqual([[1, false]])
    expect(await brokers(true)).toEqual([
      [1, false],
      [2, true],
    ])
  })
})

describe('DescribeQuorum', () => {
  it('tells voters and observers, and how far they are', async () => {
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }]
    await scene.pass(5000)
    const { topics: found } = await scene.ask(describeQuorum, 2, { topics })
    const [quorum, nothing] = found[0]!.partitions
    expect(nothing!.errorCode).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
    expect(quorum).toMatchObject({ errorCode: Errors.NONE, leaderId: 101 })
    const end = quorum!.highWatermark
    expect(quorum!.currentVoters.map((v) => [v.replicaId, v.logEndOffset])).toEqual([[101, end]])
    expect(quorum!.observers.map((o) => [o.replicaId, o.logEndOffset]).sort()).toEqual([
      [1, end],
      [2, end],
    ])
    for (const { lastFetchTimestamp, lastCaughtUpTimestamp } of [...quorum!.currentVoters, ...quorum!.observers]) {
      expect(lastFetchTimestamp).toBeGreaterThan(1_700_000_000_000)
      expect(lastCaughtUpTimestamp).toBe(lastFetchTimestamp)
    }
  })

  it('knows no other log', async () => {
    const topics = [{ topicName: 'a', partitions: [{ partitionIndex: 0 }] }]
    const { topics: found } = await scene.ask(describeQuorum, 0, { topics })
    expect(found[0]!.partitions[0]!.errorCode).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  })
})
