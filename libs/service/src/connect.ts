import { Cache } from '@tocsin/cache';
import { TocsinError } from '@tocsin/core';
import { Database, migrate, Outbox } from '@tocsin/database';
import { Connection, Messaging, OutboxRelay, type MessagingContract, type MessagingOptions } from '@tocsin/messaging';
import { logger } from '@tocsin/telemetry';
import type { Health } from './health.ts';
import { retryUntilReady } from './retry-until-ready.ts';
import type { PlatformConfig } from './platform.config.ts';

const log = logger('start');

export interface DatabaseSettings {
  /** Folder of the service's own migrations. Without it the service only reads: nothing is migrated, nothing relayed. */
  migrations?: URL;
  /** The schema it works in; by default the one named like the service. */
  schema?: string;
}

/** Connects to the broker, waiting for it as long as needed, and adds it to what the service's health shows. */
export async function connectMessaging(
  config: PlatformConfig,
  contract: MessagingContract,
  health: Health,
  stopped: AbortSignal,
): Promise<Messaging> {
  let connection: Connection | undefined;
  health.add('nats', async () => {
    const status = connection?.status();
    if (!status?.connected) throw new TocsinError('unavailable', 'not connected');
    const { server, rttMs } = status;
    return { server, ...(rttMs === undefined ? {} : { latencyMs: rttMs }) };
  });
  const options = messagingOptions(config, contract);
  const opened = await retryUntilReady('NATS', stopped, () => Connection.open(options));
  connection = opened;
  const messaging = new Messaging(opened);
  await retryUntilReady('NATS to have its streams', stopped, () => messaging.reconcile());
  return messaging;
}

function messagingOptions(config: PlatformConfig, contract: MessagingContract): MessagingOptions {
  const { service, instance, natsUrls: servers, natsUser: user, natsPassword: password, ca, replicas } = config;
  const keepsStreams = contract.keeper === undefined || contract.keeper === service;
  const { commandKeys } = config;
  return { service, instance, servers, user, password, ca, replicas, keepsStreams, commandKeys, contract };
}

/** The service's database, migrated; waits for the server as long as needed. */
export async function connectDatabase(
  config: PlatformConfig,
  settings: DatabaseSettings,
  health: Health,
  stopped: AbortSignal,
): Promise<Database> {
  const database = new Database({
    url: config.databaseUrl ?? '',
    replicaUrl: config.databaseReplicaUrl,
    ca: config.ca,
    schema: settings.schema ?? config.service,
    applicationName: `tocsin ${config.service} ${config.instance}`,
  });
  health.add('postgres', () => database.ping());
  const { migrations } = settings;
  if (migrations) {
    const applied = await retryUntilReady('PostgreSQL', stopped, () => migrate(database, migrations));
    if (applied.length > 0) log.info({ applied }, 'migrated the database');
  } else {
    await retryUntilReady('PostgreSQL', stopped, () => database.ping());
  }
  return database;
}

/** The cache. It needs no Redis to work, only to be quick, so nothing waits for it and it makes no one not ready. */
export function openCache(config: PlatformConfig, health: Health): Cache {
  const cache = new Cache({ url: config.redisUrl ?? '', ca: config.ca, namespace: config.service });
  health.add('redis', () => cache.ping(), { required: false });
  return cache;
}

/** Publishes what the service commits to its outbox, from now until it is stopped. */
export function startRelay(messaging: Messaging, database: Database, outbox: Outbox): OutboxRelay {
  const relay = new OutboxRelay(messaging, outbox.source(database));
  outbox.onCommit(() => relay.nudge());
  relay.start();
  return relay;
}
