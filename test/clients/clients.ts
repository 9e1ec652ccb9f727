// The clients: how each is made ready, and how its programs are started.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Command } from './program.ts'

/** This machine has not what a client needs. */
export class Missing extends Error {}

export interface Target {
  readonly bootstrap: string
  readonly topic: string
}

export interface Programs {
  /** Produces the lines of its standard input, key and value with a tab between. */
  produce(target: Target): Command
  /** Reads as a member of the group, from the beginning, until SIGTERM. */
  consume(target: Target, group: string): Command
}

export interface FoundRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: string
}

export interface Client {
  readonly name: string
  /** Its producer prints a line for each acknowledgement; of others only the exit code tells that everything is written. */
  readonly acknowledges: boolean
  /** Throws Missing. `folder` is the test's own, for what has to be built. */
  prepare(folder: string): Promise<Programs>
  parse(line: string): FoundRecord
}

const PROGRAMS = join(import.meta.dirname, 'programs')

export const CLIENTS: readonly Client[] = [
  ownPrograms('kafkajs', async () => (program) => ({
    file: process.execPath,
    args: [join(PROGRAMS, 'kafkajs', `${program}.mjs`)],
  })),
  python('confluent-kafka', 'confluent_kafka'),
  python('kafka-python', 'kafka'),
  ownPrograms('franz-go', async (folder) => {
    const cwd = join(PROGRAMS, 'franz-go')
    await need('Go', 'go', ['version'])
    await need("franz-go's modules", 'go', ['mod', 'download'], cwd)
    await run('go', ['build', '-o', `${folder}/`, './...'], cwd)
    return (program) => ({ file: join(folder, program), args: [] })
  }),
  {
    name: 'kcat',
    acknowledges: false,
    parse: JSON.parse,
    async prepare() {
      await need('kcat', 'kcat', ['-V'])
      return { produce: kcatProduce, consume: kcatConsume }
    },
  },
  {
    name: 'java-console',
    acknowledges: false,
    parse: parseConsoleLine,
    async prepare(folder) {
      const classpath = join(folder, 'classpath')
      const pom = join(PROGRAMS, 'java-console', 'pom.xml')
      await need('Java', 'java', ['-version'])
      await need('Maven', 'mvn', ['-version'])
      await need("Kafka's jars", 'mvn', ['-q', '-B', '-f', pom, 'dependency:build-classpath', `-Dmdep.outputFile=${classpath}`])
      return consoleTools(readFileSync(classpath, 'utf8').trim())
    },
  },
]

/** A client with a produce and a consume program of ours, which take what they need from the environment and speak JSON. */
function ownPrograms(
  name: string,
  prepare: (folder: string) => Promise<(program: string) => Pick<Command, 'file' | 'args'>>,
): Client {
  return {
    name,
    acknowledges: true,
    parse: JSON.parse,
    async prepare(folder) {
      const command = await prepare(folder)
      const env = ({ bootstrap, topic }: Target) => ({ BOOTSTRAP_SERVERS: bootstrap, TOPIC: topic })
      return {
        produce: (target) => ({ ...command('produce'), env: env(target) }),
        consume: (target, group) => ({ ...command('consume'), env: { ...env(target), GROUP: group } }),
      }
    },
  }
}

function python(name: string, module: string): Client {
  return ownPrograms(name, async () => {
    const file = process.env.CLIENTS_PYTHON ?? 'python3'
    await need('Python', file, ['--version'])
    await need(`the Python package ${name}`, file, ['-c', `import ${module}`])
    return (program) => ({ file, args: [join(PROGRAMS, name, `${program}.py`)] })
  })
}

function kcatProduce({ bootstrap, topic }: Target): Command {
  const settings = ['enable.idempotence=true', 'acks=all', 'linger.ms=2'].flatMap((s) => ['-X', s])
  return { file: 'kcat', args: ['-P', '-b', bootstrap, '-t', topic, '-K', '\t', ...settings] }
}

function kcatConsume({ bootstrap, topic }: Target, group: string): Command {
  const settings = ['auto.offset.reset=earliest', 'session.timeout.ms=6000', 'heartbeat.interval.ms=500'].flatMap((s) => [
    '-X',
    s,
  ])
  const format = '{"partition":%p,"offset":%o,"key":"%k","value":"%s"}\n'
  return { file: 'kcat', args: ['-b', bootstrap, '-G', group, '-u', '-q', '-f', format, ...settings, topic] }
}

function consoleTools(classpath: string): Programs {
  const java = (tool: string, args: readonly string[]): Command => ({
    file: 'java',
    args: [
      '-Xmx256M',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      '-cp',
      classpath,
      `org.apache.kafka.tools.${tool}`,
      ...args,
    ],
  })
  const target = ({ bootstrap, topic }: Target) => ['--bootstrap-server', bootstrap, '--topic', topic]
  const each = (option: string, properties: readonly string[]) => properties.flatMap((p) => [option, p])
  return {
    produce: (to) =>
      java('ConsoleProducer', [
        ...target(to),
        ...each('--reader-property', ['parse.key=true']),
        ...each('--command-property', ['enable.idempotence=true', 'acks=all', 'linger.ms=2']),
        // Three attempts, the tool's default, end before a leader is elected.
        ...['--message-send-max-retries', '1000'],
      ]),
    consume: (from, group) =>
      java('consumer.ConsoleConsumer', [
        ...[...target(from), '--group', group, '--from-beginning'],
        ...each('--formatter-property', ['print.partition=true', 'print.offset=true', 'print.key=true']),
        ...each('--command-property', ['session.timeout.ms=6000', 'heartbeat.interval.ms=500']),
      ]),
  }
}

/** "Partition:0\tOffset:17\tkey\tvalue" */
function parseConsoleLine(line: string): FoundRecord {
  const [, partition, offset, key, value] = /^Partition:(\d+)\tOffset:(\d+)\t(.*)\t(.*)$/.exec(line) ?? []
  if (value === undefined) throw new Error(`not a record: ${line}`)
  return { partition: Number(partition), offset: Number(offset), key: key!, value }
}

async function need(what: string, file: string, args: readonly string[], cwd?: string): Promise<void> {
  try {
    await run(file, args, cwd)
  } catch (error) {
    throw new Missing(`${what} is missing: ${(error as Error).message}`)
  }
}

/** A first build compiles or fetches everything. */
const RUN_LIMIT_MS = 540_000

async function run(file: string, args: readonly string[], cwd?: string): Promise<void> {
  await promisify(execFile)(file, args, { cwd, timeout: RUN_LIMIT_MS })
}
