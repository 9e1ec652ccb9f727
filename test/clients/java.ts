// Apache Kafka's own jars, and programs started from them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { need } from './need.ts'
import type { Command } from './program.ts'

const POM = join(import.meta.dirname, 'programs/java-console/pom.xml')

/** A program by the name of its main class, or a source file of its own. */
export type Java = (program: string, args?: readonly string[], env?: Command['env']) => Command

/** Throws Missing. */
export async function prepareJava(folder: string): Promise<Java> {
  const classpath = join(folder, 'classpath')
  await need('a Java compiler', 'javac', ['-version'])
  await need('Maven', 'mvn', ['-version'])
  await need("Kafka's jars", 'mvn', ['-q', '-B', '-f', POM, 'dependency:build-classpath', `-Dmdep.outputFile=${classpath}`])
  const jars = readFileSync(classpath, 'utf8').trim()
  const options = ['-Xmx256M', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', jars]
  return (program, args = [], env = {}) => ({ file: 'java', args: [...options, program, ...args], env })
}
