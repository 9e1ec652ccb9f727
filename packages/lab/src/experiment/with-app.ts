// A program of one's own in the place of what reads in an experiment; and whether the copies that steps speak of are there.
import { Refusal } from '@faultline/base'
import { DEEDS, type Experiment, MOST_REPLICAS, PRODUCING } from './schema.ts'

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

/** Throws Refusal when a step is about a copy that there is not. */
export function checkCopies({ workload, timeline }: Experiment): void {
  const apps = workload.filter((w) => w.kind === 'app')
  if (apps.length > 1)
    throw new Refusal('BAD_EXPERIMENT', `${apps.length} workloads of the kind app`, 'one program, with replicas')
  const there = apps[0]?.replicas ?? 0
  for (const step of timeline) {
    const target = DEEDS.map((d) => step[d]).find((t) => typeof t === 'string' && t.startsWith('app:')) as string | undefined
    const number = target === undefined ? 1 : Number(target.slice('app:'.length))
    if (target === undefined || (Number.isInteger(number) && number >= 1 && number <= there)) continue
    const advice = there === 0 ? 'add a workload of the kind app, or give --app COMMAND' : `there are app:1 to app:${there}`
    throw new Refusal('BAD_EXPERIMENT', `a step is about ${target}, which there is not`, advice)
  }
}
