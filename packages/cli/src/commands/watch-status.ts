// faultline status --watch: the board, again each second, and under it what happened last.
import { Refusal } from '@faultline/base'
import type { NodeReport } from '@faultline/director'
import { print, printJson } from '../output.ts'
import { attach, type Target } from '../target.ts'
import { boardOf, boardText } from './board.ts'
import { eventLine } from './events.ts'
import { again } from './look.ts'

interface Options extends Target {
  readonly output: 'text' | 'json'
}

/** Of events: more than a screen shows. */
const KEPT = 50
const RETRY_MS = 1000
/** Where there is no terminal to ask. */
const HEIGHT = 40
const WIDTH = 120

export async function watchStatus(options: Options): Promise<never> {
  attach(options)
  const { output } = options
  const lines: string[] = []
  if (output === 'text') void follow(options, lines)
  return again(output, async () => {
    const board = boardOf(await reports(options))
    if (output === 'json') return () => printJson({ t: Date.now(), ...board })
    const { rows = HEIGHT, columns = WIDTH } = process.stdout
    return () => print(boardText(board, lines, rows - 1, columns))
  })
}

async function reports(target: Target): Promise<NodeReport[]> {
  const cluster = attach(target)
  try {
    return await cluster.status()
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('NO_CLUSTER', 'the supervisor does not answer', 'it starts, or has just ended')
  }
}

/** The stream breaks when the cluster goes down; when it is up again, it is told from the start. */
async function follow(target: Target, into: string[]): Promise<never> {
  const never = new AbortController()
  for (;;) {
    try {
      for await (const event of attach(target).events(0, never.signal)) {
        into.push(eventLine(event))
        if (into.length > KEPT) into.shift()
      }
    } catch {
      // What is wrong with the cluster is shown by the board.
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    into.length = 0
  }
}
