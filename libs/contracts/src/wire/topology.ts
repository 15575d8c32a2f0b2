import { z } from 'zod';
import { channelConfig } from '../notifications/channel.ts';
import { checkTask, heartbeat, result } from '../monitoring/check.ts';
import { incidentEvent } from '../incidents/incident.ts';
import { monitorConfig } from '../monitoring/monitor.ts';

/** Streams, buckets and consumers, declared once and reconciled when a service boots. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIB = 1_048_576;

interface Stream {
  name: string;
  subjects: readonly string[];
  retention: 'workqueue' | 'limits';
  storage: 'file' | 'memory';
  maxAgeMs: number;
  maxBytes: number;
  maxMessagesPerSubject?: number;
  discard: 'old' | 'new';
  duplicateWindowMs: number;
}

export const streams = {
  /** Tasks on their way to probers. A task is worth nothing after its window: the oldest are dropped. */
  checks: {
    name: 'CHECKS',
    subjects: ['checks.>'],
    retention: 'workqueue',
    storage: 'file',
    maxAgeMs: HOUR,
    maxBytes: 512 * MIB,
    discard: 'old',
    duplicateWindowMs: 2 * MINUTE,
  },
  /** Results and heartbeats on their way to the record. When full, publishers wait: nothing is dropped. */
  results: {
    name: 'RESULTS',
    subjects: ['results.>', 'heartbeats.>'],
    retention: 'workqueue',
    storage: 'file',
    maxAgeMs: 7 * DAY,
    maxBytes: 2048 * MIB,
    discard: 'new',
    duplicateWindowMs: 2 * MINUTE,
  },
  /** The newest configuration of everything, one message per subject: a scheduler starts from here alone. */
  config: {
    name: 'CONFIG',
    subjects: ['config.>'],
    retention: 'limits',
    storage: 'file',
    maxAgeMs: 0,
    maxBytes: 1024 * MIB,
    maxMessagesPerSubject: 1,
    discard: 'new',
    duplicateWindowMs: 2 * MINUTE,
  },
  /** What happened, to act on and to replay to open pages. */
  events: {
    name: 'EVENTS',
    subjects: ['events.>'],
    retention: 'limits',
    storage: 'file',
    maxAgeMs: 3 * DAY,
    maxBytes: 512 * MIB,
    discard: 'old',
    duplicateWindowMs: 10 * MINUTE,
  },
  /** Writes on their way to the service that owns the data: `commands.<service>.<name>.<operationId>`. */
  commands: {
    name: 'COMMANDS',
    subjects: ['commands.>'],
    retention: 'workqueue',
    storage: 'file',
    maxAgeMs: DAY,
    maxBytes: 256 * MIB,
    discard: 'new',
    duplicateWindowMs: 10 * MINUTE,
  },
  /** Messages that could not be handled, with the reason, until somebody drives them again or discards them. */
  deadLetters: {
    name: 'DEADLETTERS',
    subjects: ['deadletters.>'],
    retention: 'limits',
    storage: 'file',
    maxAgeMs: 30 * DAY,
    maxBytes: 256 * MIB,
    discard: 'old',
    duplicateWindowMs: 2 * MINUTE,
  },
} as const satisfies Record<string, Stream>;

export const buckets = [
  { name: 'leases', history: 1, ttlMs: 60_000, maxBytes: 16 * MIB, storage: 'file' },
  { name: 'watermarks', history: 1, maxBytes: 16 * MIB, storage: 'file' },
  /** What was asked of dead letters under an Idempotency-Key: no service owns them. As long as owners keep operations. */
  { name: 'operations', history: 1, ttlMs: 2 * DAY, maxBytes: 16 * MIB, storage: 'file' },
] as const;

function consumer<T extends z.ZodType>(
  durable: string,
  of: { stream: Stream; filters: readonly string[]; schema: T },
  limits: { ackWaitMs: number; maxDeliver: number; backoffMs: readonly number[]; maxAckPending: number },
) {
  return { durable, stream: of.stream.name, filters: of.filters, schema: of.schema, ...limits };
}

/**
 * Work that must end: tried for about a quarter of an hour, then a dead letter. What a killed instance held goes to
 * another in time for the alarm; the handling of a message that takes longer extends its ack wait by itself.
 */
const MUST_END = {
  ackWaitMs: 2_000,
  maxDeliver: 20,
  backoffMs: [250, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000],
} as const;

/**
 * The queue group of the probers of a location. A killed prober's tasks go to another after the ack wait; a running
 * check extends it. A frozen prober may be handed the same task once more, and twice the wait must still be less than the 3 s
 * that are promised. When a whole host is lost, the wait begins only after the broker's election: with 2 s, some of
 * these windows ran 10 s late.
 */
export function proberTasks(location: string) {
  return consumer(
    `prober-${location}`,
    { stream: streams.checks, filters: [`checks.${location}.>`], schema: checkTask },
    { ackWaitMs: 1_250, maxDeliver: 10, backoffMs: [0], maxAckPending: 20_000 },
  );
}

export const consumers = {
  /** Each location has its own consumer, see `proberTasks`. This one stands for all of them in the permissions. */
  proberTasks: proberTasks('default'),
  incidentsResults: consumer(
    'incidents-results',
    { stream: streams.results, filters: ['results.>'], schema: result },
    { ...MUST_END, maxAckPending: 20_000 },
  ),
  incidentsHeartbeats: consumer(
    'incidents-heartbeats',
    { stream: streams.results, filters: ['heartbeats.>'], schema: heartbeat },
    { ...MUST_END, maxAckPending: 5_000 },
  ),
  incidentsConfig: consumer(
    'incidents-config',
    { stream: streams.config, filters: ['config.monitors.>'], schema: monitorConfig },
    { ...MUST_END, maxAckPending: 2_000 },
  ),
  notifierIncidents: consumer(
    'notifier-incidents',
    { stream: streams.events, filters: ['events.incidents.>'], schema: incidentEvent },
    { ...MUST_END, maxAckPending: 1_000 },
  ),
  notifierConfig: consumer(
    'notifier-config',
    { stream: streams.config, filters: ['config.channels.>'], schema: channelConfig },
    { ...MUST_END, maxAckPending: 1_000 },
  ),
} as const;
