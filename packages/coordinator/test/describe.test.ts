import { describe, expect, it } from 'vitest'
import { bytes, given, givenOffset, subscription, World } from './support.ts'

describe('DescribeGroups', () => {
  it('shows a stable group whole', async () => {
    const world = new World([given([{ id: 'a', instance: 'i', assignment: 'A' }])])
    expect(await world.describe()).toEqual({
      errorCode: 0,
      groupId: 'g',
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [
        {
          memberId: 'a',
          groupInstanceId: 'i',
          clientId: 'c',
          clientHost: '/h',
          memberMetadata: new Uint8Array(subscription('orders')),
          memberAssignment: bytes('A'),
        },
      ],
    })
  })

  it('shows who is there while they gather, but not what they want', async () => {
    const world = new World([given([{ id: 'a', assignment: 'A' }, { id: 'b' }])])
    void world.join('a')
    const { groupState, protocolData, members } = await world.describe()
    expect([groupState, protocolData]).toEqual(['PreparingRebalance', ''])
    expect(members![0]).toMatchObject({ memberId: 'a', memberMetadata: bytes(''), memberAssignment: bytes('A') })
  })

  it('shows an empty and a simple group', async () => {
    const world = new World([given([]), givenOffset('orders', 0, 1, { group: 'simple' })])
    expect(await world.describe()).toMatchObject({ groupState: 'Empty', protocolType: 'consumer', members: [] })
    expect(await world.describe('simple')).toMatchObject({ groupState: 'Empty', protocolType: '', members: [] })
  })

  it('calls a group that is not there dead, and newer clients hear that it is not there', async () => {
    const world = new World()
    expect(await world.describe('g', 5)).toEqual({ errorCode: 0, groupId: 'g', groupState: 'Dead' })
    expect(await world.describe('g', 6)).toMatchObject({ errorCode: 69, groupState: 'Dead', errorMessage: 'Group g not found.' })
  })

  it('says what may be done to groups, when asked', async () => {
    const world = new World([given([])])
    const request = { groups: ['g'], includeAuthorizedOperations: true }
    const { groups } = await world.coordinator.describeGroups(request, { version: 5, clientId: '', clientHost: '' })
    expect(groups![0]!.authorizedOperations).toBe(3400)
  })

  it('says that the coordinator is elsewhere', async () => {
    const world = new World([given([])])
    world.coordinator.runtime.stop()
    expect(await world.describe()).toEqual({ errorCode: 16, groupId: 'g' })
  })
})

describe('ListGroups', () => {
  const list = async (world: World, statesFilter: string[] = [], typesFilter: string[] = []) => {
    const { errorCode, groups } = await world.coordinator.listGroups({ statesFilter, typesFilter })
    return [errorCode, groups?.map((g) => g.groupId)]
  }
  const records = [
    given([{ id: 'a' }], { group: 'stable' }),
    given([], { group: 'empty' }),
    givenOffset('orders', 0, 1, { group: 'simple' }),
  ]

  it('lists what matches, whatever the case', async () => {
    const world = new World(records)
    expect(await list(world)).toEqual([0, ['stable', 'empty', 'simple']])
    expect(await list(world, ['sTable', 'Dead'])).toEqual([0, ['stable']])
    expect(await list(world, ['Empty'], ['Classic'])).toEqual([0, ['empty', 'simple']])
    expect(await list(world, [], ['consumer'])).toEqual([0, []])
    const { groups } = await world.coordinator.listGroups({ statesFilter: ['Stable'], typesFilter: [] })
    expect(groups).toEqual([{ groupId: 'stable', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' }])
  })

  it('lists nothing where nothing is led, and says when it cannot know yet', async () => {
    const world = new World(records)
    world.elect(world.log)
    expect(await list(world)).toEqual([14, undefined])
    world.coordinator.runtime.stop()
    expect(await list(world)).toEqual([0, []])
  })
})
