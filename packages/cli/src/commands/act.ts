// faultline kill, pause, resume, restart, down.
import { Cluster, ClusterFolder, type ProcessVerb } from '@faultline/director'
import { print, printJson } from '../output.ts'

interface Options {
  readonly dir: string
  readonly output: 'text' | 'json'
}

export async function act(verb: ProcessVerb, node: string, { dir, output }: Options): Promise<void> {
  const view = await Cluster.attach(dir).act(verb, node)
  if (output === 'json') printJson(view)
  else print(`${view.name} ${view.state}${view.state.startsWith('stopped') ? '' : ` (pid ${view.pid})`}`)
}

export async function down({ dir, output, wipe }: Options & { readonly wipe: boolean }): Promise<void> {
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
