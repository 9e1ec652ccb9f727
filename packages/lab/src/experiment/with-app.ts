// A program of one's own in the place of what reads in an experiment.
import { Refusal } from '@faultline/base'
import { type Experiment, MOST_REPLICAS, PRODUCING } from './schema.ts'

/** Producers stay: somebody has to write what it reads. Throws Refusal for a command, or a number of copies, that is none. */
export function withApp(experiment: Experiment, command: string, replicas: number): Experiment {
  if (command.trim() === '')
    throw new Refusal(
      'BAD_ARGUMENT',
      '--app is empty',
      "give the command that starts your program, as in: --app 'python my_consumer.py'",
    )
  if (!(replicas >= 1 && replicas <= MOST_REPLICAS))
    throw new Refusal('BAD_ARGUMENT', `--app-replicas ${replicas} is not between 1 and ${MOST_REPLICAS}`, 'use --app-replicas 2')
  const producers = experiment.workload.filter((w) => PRODUCING.includes(w.kind))
  return { ...experiment, workload: [...producers, { kind: 'app', command, replicas, env: {} }] }
}
