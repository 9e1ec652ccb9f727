// faultline kill, pause, resume, restart, down.
import { Cluster, ClusterFolder, type NodeView, type ProcessVerb } from '@faultline/director'
import { print, printJson } from '../output.ts'
import { NodeContainer } from '../docker.ts'
import { attach, type Target } from '../target.ts'

interface Options extends Target {
  readonly output: 'text' | 'json'
}

export async function act(verb: ProcessVerb, node: string, options: Options): Promise<void> {
  const view = await done(verb, node, options)
  if (options.output === 'json') printJson(view)
  else print(`${view.name} ${view.state}${view.state.startsWith('stopped') || view.pid < 0 ? '' : ` (pid ${view.pid})`}`)
}

/** By the director; from outside of one that cannot, by Docker's own command here. */
async function done(verb: ProcessVerb, node: string, target: Target): Promise<NodeView> {
  const cluster = attach(target)
  const { containers } = await cluster.info()
  if (target.at === undefined || containers === null || containers.engine) return cluster.act(verb, node)
  const view = await cluster.find(node)
  return { ...view, state: await (await NodeContainer.of(view.name, containers.director)).act(verb) }
}

export async function down({ dir, at, output, wipe }: Options & { readonly wipe: boolean }): Promise<void> {
  if (at !== undefined) {
    await attach({ dir, at }).down(wipe)
    return output === 'json' ? printJson({ stopped: true, wiped: wipe }) : print('stopped')
  }
  const folder = new ClusterFolder(dir)
  const runs = folder.supervisor() !== undefined
  if (runs) await Cluster.attach(dir).down(wipe)
  else {
    folder.describe()
    if (wipe) folder.wipe()
  }
  if (output === 'json') printJson({ stopped: runs, wiped: wipe })
  else print(`${runs ? 'stopped' : 'was not running'}${wipe ? `; ${folder.path} is gone` : `; data stays in ${folder.path}`}`)
}
