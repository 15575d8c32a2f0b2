import { type Attributes, type Counter, metrics } from '@opentelemetry/api';

/** A counter made at its first use. One made before telemetry is set up would count nothing. */
class LateCounter {
  private counter: Counter | undefined;

  constructor(
    private readonly name: string,
    private readonly description: string,
  ) {}

  add(value: number, attributes?: Attributes): void {
    this.counter ??= metrics.getMeter('tocsin').createCounter(this.name, { description: this.description });
    this.counter.add(value, attributes);
  }
}

/** The counters of this library. Attributes are bounded: durables, request subjects and outcomes only. */
export const counters = {
  streamsRestored: new LateCounter(
    'tocsin_streams_restored_total',
    'Settings of streams that were not the contract’s, by setting',
  ),
  deliveries: new LateCounter('tocsin_deliveries_total', 'Deliveries settled, by durable and outcome'),
  deadLetters: new LateCounter('tocsin_dead_letters_total', 'Messages moved to the dead letters'),
  publishRetries: new LateCounter('tocsin_publish_retries_total', 'Publishes sent again'),
  requestsDropped: new LateCounter('tocsin_requests_expired_total', 'Requests dropped past their deadline'),
};
