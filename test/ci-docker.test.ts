// What a Docker engine of a CI run has changed in iptables is taken back, and nothing else.
import { describe, expect, it } from 'vitest'
// @ts-expect-error a build script without types
import { undoing } from '../scripts/ci-docker.mjs'

describe('rules of iptables', () => {
  const before = new Map([['filter', [':INPUT ACCEPT', ':FORWARD ACCEPT', '-A INPUT -s 10.0.0.1/32 -j DROP']]])

  it('that an engine made go, with its chains, and policies are as before', () => {
    const after = new Map([
      ['filter', [':INPUT ACCEPT', ':FORWARD DROP', ':DOCKER -', '-A INPUT -s 10.0.0.1/32 -j DROP', '-A FORWARD -j DOCKER']],
      ['nat', [':PREROUTING ACCEPT', ':DOCKER -', '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER']],
    ])
    expect(undoing(before, after)).toBe(
      [
        '*filter',
        ':FORWARD ACCEPT [0:0]',
        '-D FORWARD -j DOCKER',
        '-X DOCKER',
        'COMMIT',
        '*nat',
        ':PREROUTING ACCEPT [0:0]',
        '-D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER',
        '-X DOCKER',
        'COMMIT',
        '',
      ].join('\n'),
    )
  })

  it('of others stay, also those that came meanwhile', () => {
    expect(undoing(before, new Map([['filter', [...before.get('filter')!, '-A INPUT -s 10.0.0.2/32 -j DROP']]]))).toBe('')
  })
})
