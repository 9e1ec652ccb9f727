// A program of one's own in the place of what reads in an experiment.
import { type Experiment, PRODUCING } from './schema.ts'

/** Producers stay: somebody has to write what it reads. */
export function withApp(experiment: Experiment, command: string, replicas: number): Experiment {
  const producers = experiment.workload.filter((w) => PRODUCING.includes(w.kind))
  return { ...experiment, workload: [...producers, { kind: 'app', command, replicas, env: {} }] }
}
