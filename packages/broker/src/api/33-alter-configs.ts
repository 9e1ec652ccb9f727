// AlterConfigs is answered by the active controller.
import { alterConfigs } from '@faultline/protocol'
import { forwardedConfigs } from './44-incremental-alter-configs.ts'

export const alterConfigsHandler = forwardedConfigs(alterConfigs)
