import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { Logger } from '@nestjs/common';
import { sleep, systemClock, TocsinError } from '@tocsin/core';
import type { Connection } from '../client/connection.ts';
import { type BucketSpec, COMMANDS_STREAM, commandDurable, type ConsumerSpec, type StreamSpec } from '../contract.ts';
import { differencesOf, isForbidden, STAMP_KEY, type DesiredConfig } from './stream-settings.ts';
import { counters } from '../wire/metrics.ts';
import { bucketsOf, stampOf, streamsOf, desiredBucket, desiredStream } from './desired-config.ts';

const NANOS = 1_000_000;
const SETTLE_WITHIN_MS = 30_000;
const RETRY_MS = 300;
const NOT_FOUND = 404;
const logger = new Logger('Messaging');

/** The consumer that the instances of a service share its commands by. */
export function commandConsumerSpec(service: string): Omit<ConsumerSpec, 'schema'> {
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

/** A stream as the broker has it. One that was deleted and created again has another time of creation. */
export interface StreamState {
  stream: string;
  created: string;
  /** Whether this process created it just now, because it was missing. */
  made: boolean;
}

/** `boot`: retries for up to 30 s and corrects every difference. `repair`: tries once, and leaves the settings of other versions. */
export type ReconcileMode = 'boot' | 'repair';

/** A stream is missing, and this process may not create it. */
export class StreamMissing extends TocsinError {
  constructor(stream: string) {
    super('unavailable', `${stream} is missing. Only the service that keeps the streams may create it: does it run?`);
  }
}

/**
 * Creates or updates every stream and bucket of the contract, or waits for the service that may. Several instances do this
 * at once, so one that loses a race tries again. Nothing is ever emptied or deleted.
 * @param onMissing called at each try while a stream is missing that this process may not create
 */
export async function reconcileTopology(connection: Connection, onMissing: () => void): Promise<StreamState[]> {
  const states: StreamState[] = [];
  for (const act of stepsOf(connection, 'boot')) {
    const reported = (): Promise<StreamState> =>
      act().catch((error: unknown) => {
        if (error instanceof StreamMissing) onMissing();
        throw error;
      });
    states.push(await retryUntilSettled(reported));
  }
  return states;
}

/** Creates again what was deleted, streams and buckets first. A failure of one does not stop the others. */
export async function repairTopology(
  connection: Connection,
  consumers: readonly Omit<ConsumerSpec, 'schema'>[],
): Promise<{ states: StreamState[]; failures: unknown[] }> {
  const streams = await Promise.allSettled(stepsOf(connection, 'repair').map((act) => act()));
  const rest = await Promise.allSettled(consumers.map((spec) => reconcileConsumer(connection, spec, 'repair')));
  return {
    states: streams.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    failures: [...streams, ...rest].flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
  };
}

function stepsOf(connection: Connection, mode: ReconcileMode): (() => Promise<StreamState>)[] {
  const { contract, replicas } = connection.options;
  return [
    ...streamsOf(contract).map((spec) => () => {
      const desired = desiredStream(spec, replicas);
      return reconcileStream(connection, { name: spec.name, desired, mode }, () =>
        createStream(connection, spec, desired),
      );
    }),
    ...bucketsOf(contract).map((spec) => () => {
      const [name, desired] = [`KV_${spec.name}`, desiredBucket(spec, replicas)];
      return reconcileStream(connection, { name, desired, mode }, () => createBucket(connection, spec, desired));
    }),
  ];
}

/** Creates one durable consumer, or (at boot) updates it. */
export async function reconcileConsumer(
  connection: Connection,
  spec: Omit<ConsumerSpec, 'schema'>,
  mode: ReconcileMode = 'boot',
): Promise<void> {
  const desired = {
    ...filtersFor(spec),
    ack_wait: spec.ackWaitMs * NANOS,
    // The broker never parks a message: the worker moves it to the dead letters when it has failed too often.
    max_deliver: -1,
    max_ack_pending: spec.maxAckPending,
    num_replicas: connection.options.replicas,
  };
  const act = async (): Promise<void> => {
    const found = await foundOrUndefined(connection.jsm.consumers.info(spec.stream, spec.durable));
    if (!found) {
      const fixed = { durable_name: spec.durable, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All };
      await connection.jsm.consumers.add(spec.stream, { ...desired, ...fixed });
    } else if (mode === 'boot' && differs(found.config, desired)) {
      await connection.jsm.consumers.update(spec.stream, spec.durable, desired);
    }
  };
  await (mode === 'boot' ? retryUntilSettled(act) : act());
}

/** One filter is part of the subject by which a consumer is created, and so of what its service may create. */
function filtersFor({ filters }: Pick<ConsumerSpec, 'filters'>): Pick<ConsumerConfig, 'filter_subject'> {
  const [first, ...others] = filters;
  const one = first !== undefined && others.length === 0;
  // An absent filter is sent too, because an update keeps every setting that it does not name.
  return { filter_subject: one ? first : undefined, filter_subjects: one ? undefined : [...filters] } as object;
}

async function reconcileStream(
  connection: Connection,
  { name, desired, mode }: { name: string; desired: DesiredConfig; mode: ReconcileMode },
  create: () => Promise<StreamInfo>,
): Promise<StreamState> {
  const keeps = connection.options.keepsStreams !== false;
  const found = await foundOrUndefined(connection.jsm.streams.info(name));
  if (!found) {
    if (!keeps) throw new StreamMissing(name);
    return { stream: name, created: (await create()).created, made: true };
  }
  if (keeps) await restore(connection, found, { desired, mode });
  return { stream: name, created: found.created, made: false };
}

/** Corrects a stream's settings, and logs what it found. */
async function restore(
  connection: Connection,
  { config }: StreamInfo,
  { desired, mode }: { desired: DesiredConfig; mode: ReconcileMode },
): Promise<void> {
  const stamp = stampOf(desired);
  const stamped = config.metadata?.[STAMP_KEY] === stamp;
  const differences = differencesOf(config, desired, mode === 'boot' || stamped ? 'all' : 'forbidden');
  if (differences.length === 0 && (stamped || mode === 'repair')) return;
  // At boot, another version's settings are expected.
  for (const { setting, found, desired: right } of differences.filter(
    ({ setting }) => stamped || isForbidden(setting),
  )) {
    counters.streamsRestored.add(1, { setting });
    const what = `${config.name} had ${setting} ${JSON.stringify(found)}; it is made ${JSON.stringify(right) ?? 'none'} again`;
    // Nobody of Tocsin sets a forbidden setting. The others may come from an older version that started meanwhile.
    if (isForbidden(setting)) logger.error(what);
    else logger.warn(what);
  }
  const changes =
    mode === 'boot' || stamped ? { ...desired, metadata: { ...config.metadata, [STAMP_KEY]: stamp } } : {};
  const restored = {
    ...changes,
    ...Object.fromEntries(differences.map(({ setting, desired: right }) => [setting, right])),
  };
  await connection.jsm.streams.update(config.name, restored as Partial<StreamConfig>);
}

function createStream({ jsm }: Connection, spec: StreamSpec, desired: DesiredConfig): Promise<StreamInfo> {
  return jsm.streams.add({
    ...(desired as Partial<StreamConfig>),
    name: spec.name,
    retention: spec.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: storageOf(spec),
    metadata: { [STAMP_KEY]: stampOf(desired) },
  });
}

async function createBucket(
  { jsm, nats, options }: Connection,
  spec: BucketSpec,
  desired: DesiredConfig,
): Promise<StreamInfo> {
  await new Kvm(nats).create(spec.name, {
    history: spec.history,
    ...(spec.ttlMs ? { ttl: spec.ttlMs } : {}),
    max_bytes: spec.maxBytes,
    replicas: options.replicas,
    storage: storageOf(spec),
    metadata: { [STAMP_KEY]: stampOf(desired) },
  });
  return jsm.streams.info(`KV_${spec.name}`);
}

function storageOf({ storage }: { storage: 'file' | 'memory' }): StorageType {
  return storage === 'memory' ? StorageType.Memory : StorageType.File;
}

function differs(found: object, desired: Record<string, unknown>): boolean {
  const has = found as Record<string, unknown>;
  return Object.keys(desired).some((key) => JSON.stringify(has[key]) !== JSON.stringify(desired[key]));
}

async function foundOrUndefined<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === NOT_FOUND) return undefined;
    throw error;
  }
}

/** Retries for 30 s: at boot the broker may still elect, and another service may create the same stream. */
async function retryUntilSettled<T>(act: () => Promise<T>): Promise<T> {
  const until = systemClock.monotonic() + SETTLE_WITHIN_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (systemClock.monotonic() > until) throw error;
      await sleep(RETRY_MS);
    }
  }
}
