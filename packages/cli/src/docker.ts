// Containers of nodes, by the docker command of this machine: for clusters whose director does not have the Docker engine's socket.
import { spawnSync } from 'node:child_process'
import { Refusal } from '@faultline/base'
import type { ProcessVerb } from '@faultline/director'

const GRACE_SECONDS = '20'
const LABEL = 'com.docker.compose'

const COMMANDS: Readonly<Record<ProcessVerb, readonly string[]>> = {
  kill: ['kill'],
  terminate: ['stop', '-t', GRACE_SECONDS],
  pause: ['pause'],
  resume: ['unpause'],
  restart: ['restart', '-t', GRACE_SECONDS],
}

/** Its process alone was stopped, when its code came to a point. */
const GO_ON = ['kill', '--signal', 'CONT']

/** What docker says instead of doing it, and what to do about that. */
const TROUBLE: readonly (readonly [says: RegExp, what: string, advice: string])[] = [
  [
    /permission denied/i,
    'this user may not use Docker',
    'join its group and log in again: sudo usermod -aG docker $USER; or use sudo',
  ],
  [
    /cannot connect|is the docker daemon running|failed to connect/i,
    'no Docker engine answers',
    'start it: sudo systemctl start docker, or Docker Desktop; if it is elsewhere, set DOCKER_HOST or docker context',
  ],
  [
    /no such (object|container)/i,
    'the cluster is in containers of another Docker engine',
    'type this on the machine that runs them, or set DOCKER_HOST or docker context to it',
  ],
]

export class NodeContainer {
  readonly #id: string

  /** That of a node, "broker:2", beside the container `director`, wherever the compose file is. */
  constructor(node: string, director: string) {
    const project = docker('inspect', '--format', `{{index .Config.Labels "${LABEL}.project"}}`, director)
    const labels = [`${LABEL}.project=${project}`, `${LABEL}.service=${node.replace(':', '-')}`]
    const ids = docker('ps', '-aq', '--no-trunc', ...labels.flatMap((label) => ['--filter', `label=${label}`]))
    if (ids === '') throw new Refusal('NODE_FAILED', `${node} has no container`, 'start it with: docker compose up -d')
    this.#id = ids.split('\n')[0]!
  }

  /** Returns what the container does then, in Docker's word. */
  act(verb: ProcessVerb): string {
    const isWhole = verb === 'resume' && this.#state !== 'paused'
    docker(...(isWhole ? GO_ON : COMMANDS[verb]), this.#id)
    return this.#state
  }

  get #state(): string {
    return docker('inspect', '--format', '{{.State.Status}}', this.#id)
  }

  logs(lines: number): string {
    return docker('logs', '--tail', String(lines), this.#id)
  }
}

function docker(...args: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (error) {
    const advice = 'install it, or type this where it is: https://docs.docker.com/engine/install'
    throw new Refusal('NO_DOCKER', `there is no docker command here (${error.message})`, advice)
  }
  if (status === 0) return stdout.trim()
  const [, what, advice] = TROUBLE.find(([says]) => says.test(stderr)) ?? [undefined, undefined, undefined]
  if (what !== undefined) throw new Refusal('NO_DOCKER', what, advice)
  throw new Refusal('NODE_FAILED', stderr.trim().replace(/^Error response from daemon: /, ''), 'look at: docker ps -a')
}
