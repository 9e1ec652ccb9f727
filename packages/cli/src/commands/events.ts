// faultline events: the cluster's one ordered stream, a line each.
import type { ClusterEvent } from '@faultline/director'
import { print, printJson } from '../output.ts'
import { attach, type Target } from '../target.ts'

interface Options extends Target {
  readonly output: 'text' | 'json'
  readonly follow: boolean
}

/** What is kept comes at once; nothing for so long, and without --follow that was all. */
const QUIET_MS = 200

export async function events(options: Options): Promise<void> {
  const { output, follow } = options
  const ended = new AbortController()
  process.once('SIGINT', () => ended.abort())
  let quiet: NodeJS.Timeout | undefined
  const wait = () => {
    clearTimeout(quiet)
    if (!follow) quiet = setTimeout(() => ended.abort(), QUIET_MS)
  }
  wait()
  try {
    for await (const event of attach(options).events(0, ended.signal)) {
      if (output === 'json') printJson(event)
      else print(eventLine(event))
      wait()
    }
  } catch (error) {
    if (!ended.signal.aborted) throw error
  }
}

export function eventLine({ seq: _seq, mono: _mono, t, node, event, ...fields }: ClusterEvent): string {
  const shown = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${new Date(t).toISOString().slice(11, 23)}  ${node.padEnd(14)} ${event.padEnd(22)} ${shown.join(' ')}`
}
