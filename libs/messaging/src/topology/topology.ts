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
import { systemClock, TocsinError } from '@tocsin/core';
import type { Connection } from '../client/connection.ts';
import { type BucketSpec, COMMANDS_STREAM, commandDurable, type ConsumerSpec, type StreamSpec } from '../contract.ts';
import { driftOf, isAlien, STAMP, type WantedConfig } from './drift.ts';
import { counters } from '../wire/metrics.ts';
import { bucketsOf, stampOf, streamsOf, wantedOfBucket, wantedOfStream } from './wanted.ts';

const NANOS = 1_000_000;
const SETTLE_MS = 30_000;
const RETRY_MS = 300;
const NOT_FOUND = 404;
const logger = new Logger('Messaging');

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

/** `boot`: for up to 30 s, changing whatever differs. `look`: once, changing what nobody of this version set. */
export type Occasion = 'boot' | 'look';

/** A stream that is not there, and that this process may not create. */
export class Missing extends TocsinError {
  constructor(stream: string) {
    super(
      'unavailable',
      `${stream} is not there. It is created by the service that looks after the streams: does it run?`,
    );
  }
}

/**
 * Creates or updates every stream and bucket of the contract, or waits for whoever may. Several instances do this at once,
 * so whoever loses a race looks again. Nothing is ever emptied or deleted.
 * @param waiting told again and again while one is missing that this process may not create
 */
export async function reconcileTopology(connection: Connection, waiting: () => void): Promise<Standing[]> {
  const standing: Standing[] = [];
  for (const act of actsOf(connection, 'boot')) {
    const patient = (): Promise<Standing> =>
      act().catch((error: unknown) => {
        if (error instanceof Missing) waiting();
        throw error;
      });
    standing.push(await persist(patient));
  }
  return standing;
}

/** Looks at everything once, first at streams and buckets: each for itself, as one that can't be made is no reason for the rest. */
export async function look(
  connection: Connection,
  consumers: readonly Omit<ConsumerSpec, 'schema'>[],
): Promise<{ standing: Standing[]; failures: unknown[] }> {
  const streams = await Promise.allSettled(actsOf(connection, 'look').map((act) => act()));
  const rest = await Promise.allSettled(consumers.map((spec) => reconcileConsumer(connection, spec, 'look')));
  return {
    standing: streams.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    failures: [...streams, ...rest].flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
  };
}

function actsOf(connection: Connection, on: Occasion): (() => Promise<Standing>)[] {
  const { contract, replicas } = connection.options;
  return [
    ...streamsOf(contract).map((spec) => () => {
      const wanted = wantedOfStream(spec, replicas);
      return reconcileStream(connection, { name: spec.name, wanted, on }, () => createStream(connection, spec, wanted));
    }),
    ...bucketsOf(contract).map((spec) => () => {
      const [name, wanted] = [`KV_${spec.name}`, wantedOfBucket(spec, replicas)];
      return reconcileStream(connection, { name, wanted, on }, () => createBucket(connection, spec, wanted));
    }),
  ];
}

/** Creates one durable consumer, or (at boot) updates it. */
export async function reconcileConsumer(
  connection: Connection,
  spec: Omit<ConsumerSpec, 'schema'>,
  on: Occasion = 'boot',
): Promise<void> {
  const wanted = {
    ...filtersFor(spec),
    ack_wait: spec.ackWaitMs * NANOS,
    // Never parked by the broker: what has failed too often is moved to the dead letters by the worker.
    max_deliver: -1,
    max_ack_pending: spec.maxAckPending,
    num_replicas: connection.options.replicas,
  };
  const act = async (): Promise<void> => {
    const found = await missing(connection.jsm.consumers.info(spec.stream, spec.durable));
    if (!found) {
      const fixed = { durable_name: spec.durable, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All };
      await connection.jsm.consumers.add(spec.stream, { ...wanted, ...fixed });
    } else if (on === 'boot' && differs(found.config, wanted)) {
      await connection.jsm.consumers.update(spec.stream, spec.durable, wanted);
    }
  };
  await (on === 'boot' ? persist(act) : act());
}

/** One filter is part of the subject by which a consumer is created, and so of what its service may create. */
function filtersFor({ filters }: Pick<ConsumerSpec, 'filters'>): Pick<ConsumerConfig, 'filter_subject'> {
  const [first, ...others] = filters;
  const one = first !== undefined && others.length === 0;
  // Said even where there is none: an update goes on from what stands there.
  return { filter_subject: one ? first : undefined, filter_subjects: one ? undefined : [...filters] } as object;
}

async function reconcileStream(
  connection: Connection,
  { name, wanted, on }: { name: string; wanted: WantedConfig; on: Occasion },
  create: () => Promise<StreamInfo>,
): Promise<Standing> {
  const keeps = connection.options.keepsStreams !== false;
  const found = await missing(connection.jsm.streams.info(name));
  if (!found) {
    if (!keeps) throw new Missing(name);
    return { stream: name, created: (await create()).created, made: true };
  }
  if (keeps) await restore(connection, found, { wanted, on });
  return { stream: name, created: found.created, made: false };
}

/** Makes a stream what it is to be, and says what was found. */
async function restore(
  connection: Connection,
  { config }: StreamInfo,
  { wanted, on }: { wanted: WantedConfig; on: Occasion },
): Promise<void> {
  const stamp = stampOf(wanted);
  const stamped = config.metadata?.[STAMP] === stamp;
  const drift = driftOf(config, wanted, on === 'boot' || stamped ? 'all' : 'alien');
  if (drift.length === 0 && (stamped || on === 'look')) return;
  // At boot another version's settings are no news.
  for (const { setting, found, wanted: right } of drift.filter(({ setting }) => stamped || isAlien(setting))) {
    counters.streamsRestored.add(1, { setting });
    const what = `${config.name} had ${setting} ${JSON.stringify(found)}; it is made ${JSON.stringify(right) ?? 'none'} again`;
    // What no version has was set by somebody else; the rest may be an older version that started meanwhile.
    if (isAlien(setting)) logger.error(what);
    else logger.warn(what);
  }
  const changes = on === 'boot' || stamped ? { ...wanted, metadata: { ...config.metadata, [STAMP]: stamp } } : {};
  const restored = { ...changes, ...Object.fromEntries(drift.map(({ setting, wanted: right }) => [setting, right])) };
  await connection.jsm.streams.update(config.name, restored as Partial<StreamConfig>);
}

function createStream({ jsm }: Connection, spec: StreamSpec, wanted: WantedConfig): Promise<StreamInfo> {
  return jsm.streams.add({
    ...(wanted as Partial<StreamConfig>),
    name: spec.name,
    retention: spec.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: storageOf(spec),
    metadata: { [STAMP]: stampOf(wanted) },
  });
}

async function createBucket(
  { jsm, nats, options }: Connection,
  spec: BucketSpec,
  wanted: WantedConfig,
): Promise<StreamInfo> {
  await new Kvm(nats).create(spec.name, {
    history: spec.history,
    ...(spec.ttlMs ? { ttl: spec.ttlMs } : {}),
    max_bytes: spec.maxBytes,
    replicas: options.replicas,
    storage: storageOf(spec),
    metadata: { [STAMP]: stampOf(wanted) },
  });
  return jsm.streams.info(`KV_${spec.name}`);
}

function storageOf({ storage }: { storage: 'file' | 'memory' }): StorageType {
  return storage === 'memory' ? StorageType.Memory : StorageType.File;
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
