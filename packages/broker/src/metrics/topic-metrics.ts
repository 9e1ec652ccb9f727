// What comes in and goes out by topic. A replica counts what it appends as a leader, a Fetch what it answers with.
import { counter, type MetricFamily } from '@faultline/base'

export class TopicTraffic {
  messagesIn = 0
  bytesIn = 0
  bytesOut = 0
  produceRequests = 0

  produced(messages: number, bytes: number): void {
    this.messagesIn += messages
    this.bytesIn += bytes
  }

  add(other: TopicTraffic): void {
    this.messagesIn += other.messagesIn
    this.bytesIn += other.bytesIn
    this.bytesOut += other.bytesOut
    this.produceRequests += other.produceRequests
  }
}

export class TopicMetrics {
  readonly #topics = new Map<string, TopicTraffic>()
  /** Of topics that are gone: what was counted for all stays counted. */
  readonly #gone = new TopicTraffic()

  of(topic: string): TopicTraffic {
    let traffic = this.#topics.get(topic)
    if (!traffic) this.#topics.set(topic, (traffic = new TopicTraffic()))
    return traffic
  }

  /** No replica of it is here any more. */
  forget(topic: string): void {
    const traffic = this.#topics.get(topic)
    if (!traffic) return
    this.#gone.add(traffic)
    this.#topics.delete(topic)
  }

  /** Without a label: all topics together, as Kafka has it. */
  families(): MetricFamily[] {
    const all = new TopicTraffic()
    all.add(this.#gone)
    for (const traffic of this.#topics.values()) all.add(traffic)
    const family = (name: string, help: string, value: (traffic: TopicTraffic) => number) =>
      counter(`kafka_server_brokertopicmetrics_${name}_total`, `${help}; without a topic, of all.`, [
        { labels: {}, value: value(all) },
        ...[...this.#topics].map(([topic, traffic]) => ({ labels: { topic }, value: value(traffic) })),
      ])
    return [
      family('messagesin', 'Records appended by leaders', (t) => t.messagesIn),
      family('bytesin', 'Bytes appended by leaders', (t) => t.bytesIn),
      family('bytesout', 'Bytes that consumers were answered with', (t) => t.bytesOut),
      family('totalproducerequests', 'Appends asked for, by partition', (t) => t.produceRequests),
    ]
  }
}
