// The clients: how each is made ready, and how its programs are started.
import { join } from 'node:path'
import { type Java, prepareJava } from './java.ts'
import { need, run } from './need.ts'
import type { Command } from './program.ts'

export interface Target {
  readonly bootstrap: string
  readonly topic: string
}

/** A topic to copy to, by a processor with a name of its own. */
export interface Copying extends Target {
  readonly output: string
  readonly group: string
  readonly transactionalId: string
}

export interface Programs {
  /** Produces the lines of its standard input, key and value with a tab between. */
  produce(target: Target): Command
  /** Reads as a member of the group, from the beginning, until SIGTERM. */
  consume(target: Target, group: string): Command
  /** Copies the topic in transactions, until SIGTERM, and prints how many records each one that is committed has. */
  process?(copying: Copying): Command
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
  /** It has a program for `process`. */
  readonly transactions: boolean
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
    transactions: false,
    parse: JSON.parse,
    async prepare() {
      await need('kcat', 'kcat', ['-V'])
      return { produce: kcatProduce, consume: kcatConsume }
    },
  },
  {
    name: 'java-console',
    acknowledges: false,
    transactions: true,
    parse: parseConsoleLine,
    prepare: async (folder) => consoleTools(await prepareJava(folder)),
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
    transactions: true,
    parse: JSON.parse,
    async prepare(folder) {
      const command = await prepare(folder)
      return {
        produce: (target) => ({ ...command('produce'), env: env(target) }),
        consume: (target, group) => ({ ...command('consume'), env: { ...env(target), GROUP: group } }),
        process: (copying) => ({ ...command('process'), env: copyingEnv(copying) }),
      }
    },
  }
}

function env({ bootstrap, topic }: Target) {
  return { BOOTSTRAP_SERVERS: bootstrap, TOPIC: topic }
}

function copyingEnv({ output, group, transactionalId, ...target }: Copying) {
  return { ...env(target), OUTPUT: output, GROUP: group, TRANSACTIONAL_ID: transactionalId }
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
  const own = [
    'auto.offset.reset=earliest',
    'auto.commit.interval.ms=500',
    'session.timeout.ms=6000',
    'heartbeat.interval.ms=500',
  ]
  const settings = own.flatMap((s) => ['-X', s])
  const format = '{"partition":%p,"offset":%o,"key":"%k","value":"%s"}\n'
  return { file: 'kcat', args: ['-b', bootstrap, '-G', group, '-u', '-q', '-f', format, ...settings, topic] }
}

function consoleTools(java: Java): Programs {
  const target = ({ bootstrap, topic }: Target) => ['--bootstrap-server', bootstrap, '--topic', topic]
  const each = (option: string, properties: readonly string[]) => properties.flatMap((p) => [option, p])
  return {
    produce: (to) =>
      java('org.apache.kafka.tools.ConsoleProducer', [
        ...target(to),
        ...each('--reader-property', ['parse.key=true']),
        ...each('--command-property', ['enable.idempotence=true', 'acks=all', 'linger.ms=2']),
        // Three attempts, the tool's default, end before a leader is elected.
        ...['--message-send-max-retries', '1000'],
      ]),
    consume: (from, group) =>
      java('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        ...[...target(from), '--group', group, '--from-beginning'],
        ...each('--formatter-property', ['print.partition=true', 'print.offset=true', 'print.key=true']),
        ...each('--command-property', ['session.timeout.ms=6000', 'heartbeat.interval.ms=500', 'auto.commit.interval.ms=500']),
      ]),
    process: (copying) => java(join(PROGRAMS, 'java-console', 'Process.java'), [], copyingEnv(copying)),
  }
}

/** "Partition:0\tOffset:17\tkey\tvalue" */
function parseConsoleLine(line: string): FoundRecord {
  const [, partition, offset, key, value] = /^Partition:(\d+)\tOffset:(\d+)\t(.*)\t(.*)$/.exec(line) ?? []
  if (value === undefined) throw new Error(`not a record: ${line}`)
  return { partition: Number(partition), offset: Number(offset), key: key!, value }
}
