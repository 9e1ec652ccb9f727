// What the docker command says instead of doing it, as a person is told: in one line, with what to do. Docker is a script here.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NodeContainer } from '../src/docker.ts'

describe('the container of a node', () => {
  const path = process.env['PATH']!
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-test-'))
    process.env['PATH'] = `${folder}${delimiter}${path}`
  })
  afterEach(() => {
    process.env['PATH'] = path
    rmSync(folder, { recursive: true })
  })

  const docker = (script: string) => {
    writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, 'docker'), 0o755)
  }
  const refusal = () => NodeContainer.of('broker:2', 'abc').catch((error: Error) => error)

  it.each([
    ['permission denied while trying to connect to the Docker daemon socket', 'this user may not use Docker', 'usermod'],
    [
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      'no Docker engine answers',
      'start it',
    ],
    ['Error: No such object: abc', 'the cluster is in containers of another Docker engine', 'DOCKER_HOST'],
  ])('is not to be had: %s', async (says, message, advice) => {
    docker(`echo "${says}" >&2; exit 1`)
    expect(await refusal()).toMatchObject({ code: 'NO_DOCKER', message, advice: expect.stringContaining(advice) })
  })

  it('is not to be had without a docker command', async () => {
    process.env['PATH'] = folder
    expect(await refusal()).toMatchObject({ code: 'NO_DOCKER', message: expect.stringContaining('no docker command here') })
  })

  it('is found by its project and service, whatever it is called', async () => {
    docker(`case "$1" in
      inspect) case "$3" in *project*) echo shop;; *) echo exited;; esac;;
      ps) case "$*" in *project=shop*service=broker-2*) echo 123;; esac;;
      kill) [ "$2" = 123 ];;
    esac`)
    expect(await (await NodeContainer.of('broker:2', 'abc')).act('kill')).toBe('exited')
    docker('case "$1" in inspect) echo shop;; esac')
    expect(await refusal()).toMatchObject({ code: 'NODE_FAILED', message: 'broker:2 has no container' })
  })
})
