// What holds for a topic in an experiment: its own configuration, else the brokers'.
import type { Experiment } from '../experiment/schema.ts'

export function setting({ topics, cluster }: Experiment, topic: string, name: string): string | undefined {
  return topics.find((t) => t.name === topic)?.config[name] ?? cluster.settings[name]
}
