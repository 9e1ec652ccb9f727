// What a run leaves: a folder with its verdict, its history, the cluster's events, a report for people and one for machines, and the nodes' logs.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Evidence } from '../expectations/index.ts'
import type { Verdict } from '../run/verdict.ts'
import { reportHtml } from './html.ts'
import { junitOf } from './junit.ts'
import { reportData } from './report-data.ts'

export class RunFolder {
  readonly path: string

  constructor(experiment: string, runs = 'runs') {
    const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
    const base = resolve(runs, `${experiment}-${stamp}`)
    let path = base
    for (let i = 2; existsSync(path); i++) path = `${base}-${i}`
    this.path = path
    mkdirSync(this.logs, { recursive: true })
  }

  /** Of nodes, and of programs of the load. */
  get logs(): string {
    return join(this.path, 'logs')
  }

  /** `page`: the folder with what report.html is made of. */
  write(evidence: Evidence, verdict: Verdict, page: string): void {
    const { history, events, experiment, faults, steps } = evidence
    this.#put('verdict.json', `${JSON.stringify({ ...verdict, experiment: experiment.name, steps, faults }, null, 2)}\n`)
    this.#put('history.jsonl', lines(history.operations()))
    this.#put('events.jsonl', lines(events))
    this.#put('junit.xml', junitOf(experiment.name, verdict))
    this.#put('report.html', reportHtml(reportData(evidence, verdict), page))
  }

  #put(name: string, text: string): void {
    writeFileSync(join(this.path, name), text)
  }
}

function lines(values: Iterable<unknown>): string {
  return Array.from(values, (value) => `${JSON.stringify(value)}\n`).join('')
}
