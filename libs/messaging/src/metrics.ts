import { metrics } from '@opentelemetry/api';

// The API's meter forwards to the SDK once one is set up; telemetry is every process's first import, so it is.
const meter = metrics.getMeter('tocsin');

/** What this library counts. Attributes are bounded: durables, request subjects and outcomes only. */
export const counters = {
  deliveries: meter.createCounter('tocsin_deliveries_total', {
    description: 'Deliveries settled, by durable and outcome',
  }),
  deadLetters: meter.createCounter('tocsin_dead_letters_total', { description: 'Messages moved to the dead letters' }),
  publishRetries: meter.createCounter('tocsin_publish_retries_total', { description: 'Publishes sent again' }),
  requestsDropped: meter.createCounter('tocsin_requests_expired_total', {
    description: 'Requests dropped past their deadline',
  }),
};
