// AlterConfigs: a resource has what is named and nothing else (superseded by IncrementalAlterConfigs, which it is turned into; KIP-339).
import type { alterConfigs, RequestOf, ResponseInput } from '@faultline/protocol'
import { DELETE, planAlterConfigs, SET } from './alter-configs.ts'
import type { Plan, PlanContext } from './plan.ts'

type Request = RequestOf<typeof alterConfigs>

export function planLegacyAlterConfigs(context: PlanContext, request: Request): Plan<ResponseInput<typeof alterConfigs>> {
  const resources = request.resources.map((resource) => {
    const named = new Set(resource.configs.map(({ name }) => name))
    const overrides = context.image.configsOf(resource.resourceType, resource.resourceName) ?? new Map<string, string>()
    const others = [...overrides.keys()].filter((name) => !named.has(name))
    const configs = [
      ...resource.configs.map((config) => ({ ...config, configOperation: SET })),
      ...others.map((name) => ({ name, value: null, configOperation: DELETE })),
    ]
    return { ...resource, configs }
  })
  return planAlterConfigs(context, { ...request, resources })
}
