// What conditions can see from a controller: the metadata, as the active one has it. The others own nothing.
import { type Controller, controlStateOf } from '@faultline/controller'
import type { Fields, Vantage } from '@faultline/fault'

export function controllerVantage(controller: Controller): Vantage {
  return (subject, key) => (controller.active ? LOOK[subject]?.(controller, key) : undefined)
}

const LOOK: Readonly<Record<string, (controller: Controller, key: string) => Fields | undefined>> = {
  isr(controller, key) {
    const isr = partitionOf(controller, key)?.isr
    return isr && { size: isr.length }
  },
  leader(controller, key) {
    const partition = partitionOf(controller, key)
    return partition && { id: partition.leader, epoch: partition.leaderEpoch }
  },
  broker(controller, key) {
    const broker = controller.status().image.brokers.get(Number(key))
    return broker && { fenced: broker.fenced, state: controlStateOf(broker) }
  },
  controller(controller) {
    const { raft } = controller.status()
    return { id: raft.id, epoch: raft.term }
  },
}

function partitionOf(controller: Controller, key: string) {
  const dash = key.lastIndexOf('-')
  return controller.status().image.topicsByName.get(key.slice(0, dash))?.partitions[Number(key.slice(dash + 1))]
}
