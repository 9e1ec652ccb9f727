// How a verb looks at the cluster: once, or again each second with --watch. What passes by itself is waited for; what does not is refused.
import { Refusal } from '@faultline/base'
import { type ClusterClient, Disconnected, KafkaError, persist, type Silent, type TopicPartition } from '@faultline/client'
import { socketClient } from '@faultline/node'
import { print, printJson, refusalText } from '../output.ts'
import { brokersOf, type Target } from '../target.ts'

export interface LookOptions extends Target {
  readonly output: 'text' | 'json'
  readonly watch: boolean
}

const PATIENCE_MS = 10_000
const WATCH_MS = 1000
const CLEAR_SCREEN = '\x1b[H\x1b[2J\x1b[3J'

export interface View<T> {
  /** Asks the cluster; repeated on errors that pass. */
  readonly ask: (client: ClusterClient) => Promise<T>
  readonly text: (found: T) => string
}

export async function look<T>(options: LookOptions, { ask, text }: View<T>): Promise<void> {
  const { output, watch } = options
  const client = socketClient(await brokersOf(options), 'faultline')
  const show = (found: T) => (output === 'json' ? printJson(found) : print(text(found)))
  try {
    if (watch)
      await again(output, async () => {
        const found = await answered(client, WATCH_MS, ask)
        return () => show(found)
      })
    else show(await answered(client, PATIENCE_MS, ask))
  } finally {
    client.close()
  }
}

/** While the cluster is being broken, what cannot be seen now can be seen a second later. */
export async function again(output: 'text' | 'json', next: () => Promise<() => void>): Promise<never> {
  process.once('SIGINT', () => process.exit(0))
  process.stdout.once('error', () => process.exit(0))
  for (;;) {
    const draw = await next().catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error
      return () => showRefusal(output, error)
    })
    if (output === 'text' && process.stdout.isTTY) process.stdout.write(CLEAR_SCREEN)
    draw()
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS))
  }
}

function showRefusal(output: 'text' | 'json', refusal: Refusal): void {
  const { code, message, advice } = refusal
  if (output === 'json') printJson({ refused: { code, message, advice } })
  else print(refusalText(refusal))
}

async function answered<T>(client: ClusterClient, patienceMs: number, ask: View<T>['ask']): Promise<T> {
  try {
    return await persist(client, patienceMs, () => ask(client))
  } catch (error) {
    if (!(error instanceof KafkaError || error instanceof Disconnected)) throw error
    const what = error instanceof KafkaError ? error.message : `a broker does not answer (${error.message})`
    throw new Refusal('KAFKA_ERROR', what, 'look at the cluster with: npx faultline status')
  }
}

/** What stands under a list that is not complete. */
export function silence(silent: readonly Silent[]): string {
  return silent.map(({ broker, reason }) => `\nbroker:${broker} ${reason}: what it coordinates is missing here`).join('')
}

/** What was looked for and not found may be there. */
export function stillSilent(silent: readonly Silent[]): void {
  const [first] = silent
  if (first) throw new Disconnected(`broker:${first.broker} ${first.reason}, and may coordinate it`)
}

/** "orders:0,2-5 audit:1" */
export function partitionList(partitions: readonly TopicPartition[]): string {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  const lists = [...topics].map(([topic, indexes]) => `${topic}:${ranges(indexes.sort((a, b) => a - b))}`)
  return lists.length === 0 ? '-' : lists.join(' ')
}

function ranges(indexes: readonly number[]): string {
  const runs: number[][] = []
  for (const index of indexes) {
    const last = runs.at(-1)
    if (last && last.at(-1) === index - 1) last.push(index)
    else runs.push([index])
  }
  return runs.map((run) => (run.length === 1 ? `${run[0]}` : `${run[0]}-${run.at(-1)}`)).join(',')
}
