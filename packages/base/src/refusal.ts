// A refusal to a person: a code from one table, what happened with the numbers, and what to do instead. Never sent to a Kafka client.

export const REFUSALS = {
  PORT_TAKEN: 'a port that a node needs is in use',
  FOLDER_IN_USE: 'another cluster runs on this folder',
  FOLDER_UNUSABLE: 'the folder cannot be read or written',
  FOLDER_FOREIGN: 'the folder holds something that is not ours, or was written by a newer version',
  DISK_FULL: 'the disk is full',
  NO_CLUSTER: 'no running cluster was found',
  UNKNOWN_NODE: 'no such node in this cluster',
  UNKNOWN_GROUP: 'no such group in this cluster',
  UNKNOWN_TRANSACTION: 'no such transactional id in this cluster',
  BAD_ARGUMENT: 'an argument or setting is not valid',
  BAD_FAULT: 'a fault cannot be had as it was asked for',
  LINKS_FAILED: 'the proxies of the links do not answer',
  BAD_EXPERIMENT: 'an experiment cannot be run as it is written',
  LOAD_FAILED: 'the load of an experiment cannot go on',
  UNKNOWN_FAULT: 'no such fault in this cluster',
  NODE_FAILED: 'a node did not start',
  NO_DOCKER: 'Docker is missing, does not run, or may not be used',
  TIMED_OUT: 'something did not happen in time',
  KAFKA_ERROR: 'the cluster answered with an error',
} as const

export type RefusalCode = keyof typeof REFUSALS

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** What the person can type or do now. */
  readonly advice: string
  constructor(code: RefusalCode, happened: string, advice: string) {
    super(happened)
    this.code = code
    this.advice = advice
  }
}
