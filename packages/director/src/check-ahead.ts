// What is wrong with a fault, a node's name or a setting, before there is a cluster: of one that is only described.
import { Refusal } from '@faultline/base'
import { BROKER_CONFIGS, type ConfigDefinition, invalidConfigValue, TOPIC_CONFIGS } from '@faultline/controller'
import { type Cluster as Nodes, checkRequest } from './fault/check-request.ts'
import { type FaultRequest, parseFaultRequest } from './fault/fault-request.ts'
import { nodeNames } from './plan-cluster.ts'
import { checkRole } from './role.ts'

export interface DescribedCluster {
  readonly brokers: number
  readonly controllers: number
}

/** Whichever is given is checked, as far as it can be by itself. */
export function faultProblem(request: FaultRequest, cluster: DescribedCluster): Refusal | undefined {
  return refusalOf(() => checkRequest(parseFaultRequest(request), nodesOf(cluster)))
}

/** "broker:2", or something that is written like a role. */
export function nodeProblem(selector: string, cluster: DescribedCluster): Refusal | undefined {
  const nodes = nodesOf(cluster)
  return refusalOf(() =>
    checkRole(
      selector,
      nodes.nodes.map((n) => n.name),
    ),
  )
}

export function settingProblem(
  of: 'broker' | 'topic',
  name: string,
  value: string,
): { what: string; names?: readonly string[] } | undefined {
  const definitions: ReadonlyMap<string, ConfigDefinition> = of === 'broker' ? BROKER_CONFIGS : TOPIC_CONFIGS
  const definition = definitions.get(name)
  if (!definition) return { what: `Kafka has no ${of} configuration "${name}"`, names: [...definitions.keys()] }
  const invalid = invalidConfigValue(definition, value)
  return invalid === undefined ? undefined : { what: `${name}: ${invalid}` }
}

function nodesOf({ brokers, controllers }: DescribedCluster): Nodes {
  const namesOf = (role: 'broker' | 'controller') => nodeNames(role, role === 'broker' ? brokers : controllers)
  return { nodes: [...namesOf('broker'), ...namesOf('controller')].map((name) => ({ name })), namesOf }
}

function refusalOf(check: () => unknown): Refusal | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error
  }
}
