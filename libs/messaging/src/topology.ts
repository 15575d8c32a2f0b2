import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { systemClock } from '@tocsin/core';
import type { Connection } from './connection.ts';
import {
  type BucketSpec,
  COMMANDS_STREAM,
  commandDurable,
  type ConsumerSpec,
  DEADLETTERS_STREAM,
  LEASES_BUCKET,
  type StreamSpec,
  SUSPECTS_BUCKET,
} from './contract.ts';

const NANOS = 1_000_000;
const SETTLE_MS = 30_000;
const RETRY_MS = 300;
const DAY_MS = 86_400_000;
const NOT_FOUND = 404;

/** Streams that this library needs itself; a contract may declare them with bounds of its own. */
const OWN_STREAMS: readonly StreamSpec[] = [
  {
    name: COMMANDS_STREAM,
    subjects: ['commands.>'],
    retention: 'workqueue',
    storage: 'file',
    maxAgeMs: 7 * DAY_MS,
    maxBytes: 256 * 1_048_576,
    discard: 'new',
    duplicateWindowMs: 600_000,
  },
  {
    name: DEADLETTERS_STREAM,
    subjects: ['deadletters.>'],
    retention: 'limits',
    storage: 'file',
    maxAgeMs: 30 * DAY_MS,
    maxBytes: 256 * 1_048_576,
    discard: 'old',
    duplicateWindowMs: 120_000,
  },
];

const OWN_BUCKETS: readonly BucketSpec[] = [
  { name: LEASES_BUCKET, history: 1, ttlMs: 60_000, maxBytes: 8 * 1_048_576, storage: 'file' },
  { name: SUSPECTS_BUCKET, history: 1, ttlMs: 3_600_000, maxBytes: 8 * 1_048_576, storage: 'file' },
];

/** The consumer that the instances of a service share its commands by. */
export function commandConsumer(service: string): Omit<ConsumerSpec, 'schema'> {
  return {
    durable: commandDurable(service),
    stream: COMMANDS_STREAM,
    filters: [`commands.${service}.>`],
    ackWaitMs: 10_000,
    maxDeliver: 5,
    backoffMs: [100, 500, 1_000, 2_000, 5_000],
    maxAckPending: 512,
  };
}

/** A stream as it stands: one that was deleted and created again has another time of creation. */
export interface Standing {
  stream: string;
  created: string;
  /** Whether it was missing, and created here. */
  made: boolean;
}

/** `boot`: for up to 30 s, changing what differs. `repair`: once, creating what is missing and changing nothing. */
export type Occasion = 'boot' | 'repair';

/**
 * Creates or updates every stream and bucket of the contract. Several services do this at once, so whoever loses a race
 * looks again. Nothing is ever emptied or deleted.
 */
export async function reconcileTopology(connection: Connection): Promise<Standing[]> {
  const standing: Standing[] = [];
  for (const act of actsOf(connection, 'boot')) standing.push(await persist(act));
  return standing;
}

/** Creates what is missing, first streams and buckets: each for itself, as one that can't be made is no reason for the rest. */
export async function repair(
  connection: Connection,
  consumers: readonly Omit<ConsumerSpec, 'schema'>[],
): Promise<{ standing: Standing[]; failures: unknown[] }> {
  const streams = await Promise.allSettled(actsOf(connection, 'repair').map((act) => act()));
  const rest = await Promise.allSettled(consumers.map((spec) => reconcileConsumer(connection, spec, 'repair')));
  return {
    standing: streams.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    failures: [...streams, ...rest].flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
  };
}

function actsOf(connection: Connection, on: Occasion): (() => Promise<Standing>)[] {
  const { contract } = connection.options;
  return [
    ...withOwn(contract.streams, OWN_STREAMS).map((spec) => () => reconcileStream(connection, spec, on)),
    ...withOwn(contract.buckets, OWN_BUCKETS).map((spec) => () => reconcileBucket(connection, spec, on)),
  ];
}

/** Creates one durable consumer, or (at boot) updates it. */
export async function reconcileConsumer(
  connection: Connection,
  spec: Omit<ConsumerSpec, 'schema'>,
  on: Occasion = 'boot',
): Promise<void> {
  const wanted = {
    ack_wait: spec.ackWaitMs * NANOS,
    // Never parked by the broker: what has failed too often is moved to the dead letters by the worker.
    max_deliver: -1,
    max_ack_pending: spec.maxAckPending,
    filter_subjects: [...spec.filters],
    num_replicas: connection.options.replicas,
  };
  const act = async (): Promise<void> => {
    const found = await missing(connection.jsm.consumers.info(spec.stream, spec.durable));
    if (!found) {
      const fixed = { durable_name: spec.durable, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All };
      await connection.jsm.consumers.add(spec.stream, { ...wanted, ...fixed });
    } else if (on === 'boot' && differs({ ...found.config, filter_subjects: filtersOf(found.config) }, wanted)) {
      await connection.jsm.consumers.update(spec.stream, spec.durable, wanted);
    }
  };
  await (on === 'boot' ? persist(act) : act());
}

function withOwn<T extends { name: string }>(declared: readonly T[], own: readonly T[]): T[] {
  const names = new Set(declared.map((spec) => spec.name));
  return [...declared, ...own.filter((spec) => !names.has(spec.name))];
}

async function reconcileStream({ jsm, options }: Connection, spec: StreamSpec, on: Occasion): Promise<Standing> {
  const wanted = {
    subjects: [...spec.subjects],
    max_age: spec.maxAgeMs * NANOS,
    max_bytes: spec.maxBytes,
    max_msgs_per_subject: spec.maxMessagesPerSubject ?? -1,
    discard: spec.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
    duplicate_window: spec.duplicateWindowMs * NANOS,
    num_replicas: options.replicas,
    allow_direct: true,
  };
  const found = await missing(jsm.streams.info(spec.name));
  if (found) {
    if (on === 'boot' && differs(found.config, wanted)) await jsm.streams.update(spec.name, wanted);
    return { stream: spec.name, created: found.created, made: false };
  }
  const { created } = await jsm.streams.add({
    ...wanted,
    name: spec.name,
    retention: spec.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: spec.storage === 'memory' ? StorageType.Memory : StorageType.File,
  });
  return { stream: spec.name, created, made: true };
}

async function reconcileBucket(connection: Connection, spec: BucketSpec, on: Occasion): Promise<Standing> {
  const { jsm, options, nats } = connection;
  const stream = `KV_${spec.name}`;
  const found = await missing(jsm.streams.info(stream));
  if (found) {
    const wanted = { max_age: (spec.ttlMs ?? 0) * NANOS, max_bytes: spec.maxBytes, num_replicas: options.replicas };
    if (on === 'boot' && differs(found.config, wanted)) await jsm.streams.update(stream, wanted);
    return { stream, created: found.created, made: false };
  }
  await new Kvm(nats).create(spec.name, {
    history: spec.history,
    ...(spec.ttlMs ? { ttl: spec.ttlMs } : {}),
    max_bytes: spec.maxBytes,
    replicas: options.replicas,
    storage: spec.storage === 'memory' ? StorageType.Memory : StorageType.File,
  });
  const { created } = await jsm.streams.info(stream);
  return { stream, created, made: true };
}

function filtersOf(config: { filter_subject?: string; filter_subjects?: string[] }): string[] {
  return config.filter_subjects ?? (config.filter_subject ? [config.filter_subject] : []);
}

function differs(found: object, wanted: Record<string, unknown>): boolean {
  const has = found as Record<string, unknown>;
  return Object.keys(wanted).some((key) => JSON.stringify(has[key]) !== JSON.stringify(wanted[key]));
}

async function missing<T>(question: Promise<T>): Promise<T | undefined> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === NOT_FOUND) return undefined;
    throw error;
  }
}

/** Tries again for 30 s: at boot the broker may still elect, and another service may be doing the same. */
async function persist<T>(act: () => Promise<T>): Promise<T> {
  const until = systemClock.monotonic() + SETTLE_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (systemClock.monotonic() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
