// Containers of nodes, by the docker command of this machine: for clusters whose director does not have the Docker engine's socket.
import { Refusal } from '@faultline/base'
import { docker, type ProcessVerb } from '@faultline/director'

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

export class NodeContainer {
  readonly #id: string

  private constructor(id: string) {
    this.#id = id
  }

  /** That of a node, "broker:2", beside the container `director`, wherever the compose file is. */
  static async of(node: string, director: string): Promise<NodeContainer> {
    const project = await docker('inspect', '--format', `{{index .Config.Labels "${LABEL}.project"}}`, director)
    const labels = [`${LABEL}.project=${project}`, `${LABEL}.service=${node.replace(':', '-')}`]
    const ids = await docker('ps', '-aq', '--no-trunc', ...labels.flatMap((label) => ['--filter', `label=${label}`]))
    if (ids === '') throw new Refusal('NODE_FAILED', `${node} has no container`, 'start it with: docker compose up -d')
    return new NodeContainer(ids.split('\n')[0]!)
  }

  /** Returns what the container does then, in Docker's word. */
  async act(verb: ProcessVerb): Promise<string> {
    const isWhole = verb === 'resume' && (await this.#state()) !== 'paused'
    await docker(...(isWhole ? GO_ON : COMMANDS[verb]), this.#id)
    return this.#state()
  }

  #state(): Promise<string> {
    return docker('inspect', '--format', '{{.State.Status}}', this.#id)
  }

  logs(lines: number): Promise<string> {
    return docker('logs', '--tail', String(lines), this.#id)
  }
}
