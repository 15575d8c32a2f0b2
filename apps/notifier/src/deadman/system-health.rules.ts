import { type InstanceView, serviceNames, streams } from '@tocsin/contracts';
import type { QueueDepth } from '@tocsin/messaging';

/** With more than this waiting for a consumer, Tocsin notices an outage too late. */
const BACKLOG_MAX = 5_000;

/** The findings of one look at Tocsin. */
export interface SystemView {
  /** The instances that answered; undefined when the request could not be sent. */
  instances: readonly InstanceView[] | undefined;
  /** The depths of the streams; undefined when the broker did not say. */
  queues: readonly Pick<QueueDepth, 'stream' | 'consumers'>[] | undefined;
  recordTakesWrites: boolean;
}

/**
 * Decides whether Tocsin can do all of its work: check, decide and notify.
 * @returns which parts it lacks, by name: `service prober`, `shards 3, 5`, `road`, `queue incidents-results`,
 *   `stream EVENTS`, `broker`, `record`. None: it is healthy
 */
export function missingParts({ instances, queues, recordTakesWrites }: SystemView): string[] {
  return [
    ...(instances ? missingServices(instances.filter(({ ready }) => ready)) : []),
    ...(queues ? blockedQueues(queues) : []),
    ...(instances && queues ? [] : ['broker']),
    ...(recordTakesWrites ? [] : ['record']),
  ];
}

function missingServices(ready: readonly InstanceView[]): string[] {
  const present = new Set(ready.map(({ service }) => service));
  const missing = serviceNames.filter((service) => !present.has(service)).map((service) => `service ${service}`);
  const shards = freeShards(ready.filter(({ service }) => service === 'scheduler'));
  if (shards.length > 0) missing.push(`shards ${shards.join(', ')}`);
  const incidents = ready.filter(({ service }) => service === 'incidents');
  if (incidents.length > 0 && !incidents.some(isRoadOpen)) missing.push('road');
  return missing;
}

/** The shards that no scheduler runs. A scheduler of an older version does not say how many there are. */
function freeShards(schedulers: readonly InstanceView[]): number[] {
  const schedules = schedulers.map(
    ({ health }) => health['schedule'] as { shards?: number[]; of?: number } | undefined,
  );
  const held = new Set(schedules.flatMap((schedule) => schedule?.shards ?? []));
  const all = Math.max(0, ...schedules.map((schedule) => schedule?.of ?? 0));
  return Array.from({ length: all }, (_, shard) => shard).filter((shard) => !held.has(shard));
}

/** Whether results come in and are fresh, as an instance of `incidents` says. One of an older version does not say it. */
function isRoadOpen({ health }: InstanceView): boolean {
  return health['road']?.ok ?? true;
}

function blockedQueues(queues: NonNullable<SystemView['queues']>): string[] {
  const present = new Set(queues.map(({ stream }) => stream));
  const gone = Object.values(streams).filter(({ name }) => !present.has(name));
  const behind = queues
    .flatMap(({ consumers }) => consumers)
    .filter(({ pending, ackPending }) => pending + ackPending > BACKLOG_MAX);
  return [...gone.map(({ name }) => `stream ${name}`), ...behind.map(({ durable }) => `queue ${durable}`)];
}
