import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  type ChannelSpec,
  commands,
  contract,
  type IncidentEvent,
  type NotificationView,
  subjects,
} from '@tocsin/contracts';
import { newId, sealSecret, Sealing, type SecretKeys } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { Messaging } from '@tocsin/messaging';
import {
  atTheEnd,
  natsServer,
  postgres,
  type ServiceProcess,
  startService,
  type TestDatabase,
  until,
} from '@tocsin/testing';

export const KEY: SecretKeys = [randomBytes(32)];
const pair = generateKeyPairSync('x25519');
/** As gateways have it: it seals what the notifiers open. */
export const sealing = new Sealing({ publicKey: pair.publicKey });

/** Two instances of `notifier` on real servers, and a client that stands for the rest of Tocsin. */
export class System {
  private constructor(
    readonly messaging: Messaging,
    readonly database: Database,
    readonly env: Record<string, string>,
    readonly instances: ServiceProcess[],
  ) {}

  /** @param own the database to use; by default a fresh one on the server that the test run shares */
  static async start(own?: Pick<TestDatabase, 'urlFor'>): Promise<System> {
    const [nats, database] = await Promise.all([natsServer(), own ?? postgres()]);
    const env = {
      TOCSIN_NATS_URLS: nats.url,
      TOCSIN_DATABASE_URL: database.urlFor('notifier'),
      TOCSIN_SECRET: KEY[0].toString('base64'),
      TOCSIN_CHANNELS_KEY: pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
      TOCSIN_RETRY_BASE_MS: '200',
      TOCSIN_LOG_LEVEL: 'error',
    };
    const start = (n: number) => startService('notifier', { ...env, TOCSIN_INSTANCE: `notifier-${n}` });
    const options = { service: 'test', instance: 'test', servers: [nats.url], replicas: 1 as const, contract };
    // It creates the streams, as `monitors` would.
    const messaging = await Messaging.connect(options);
    const instances = await Promise.all([start(1), start(2)]);
    // As the read side reads it: by the role that may look at the view and at nothing else.
    const url = database.urlFor('status');
    const reader = new Database({ url, replicaUrl: url, schema: 'status', applicationName: 'test' });
    atTheEnd(async () => {
      await messaging.close();
      await reader.close();
    });
    return new System(messaging, reader, env, instances);
  }

  /** Makes a channel known, as `monitors` does. */
  async channel(spec: ChannelSpec, revision = 1, id = newId()): Promise<string> {
    const record = { id, revision, createdAt: 0, updatedAt: 0, spec };
    await this.messaging.publish(subjects.channelConfig(id), record, { id: newId() });
    return id;
  }

  /** A webhook channel that both instances know. */
  async webhook(url: string, secret = 's3cret'): Promise<string> {
    return this.channel({ kind: 'webhook', name: 'hook', settings: { url, secret: sealSecret(KEY, secret) } });
  }

  /** Says that something happened to an incident, as `incidents` does. */
  async happens(over: Partial<IncidentEvent> & { channels: string[] }): Promise<IncidentEvent> {
    const now = Date.now();
    const event: IncidentEvent = {
      incidentId: newId(),
      monitorId: newId(),
      monitorName: 'site',
      transition: 'opened',
      state: 'down',
      reason: 'status',
      message: 'status 503, expected 200-299',
      at: now,
      openedAt: now,
      ...over,
    };
    await this.messaging.publish(subjects.incidentEvent(event.incidentId), event, { id: newId() });
    return event;
  }

  async test(channelId: string, operationId = newId()): Promise<NotificationView> {
    const requestHash = createHash('sha256').update(channelId).digest('hex');
    const o = { operationId, requestHash, deadline: Date.now() + 15_000 };
    const end = await this.messaging.command(commands.channelsTest, { channelId }, o);
    if (end.status !== 'done') throw new Error('the test was only accepted');
    return end.result;
  }

  /** What is readable of an incident's notifications. */
  notifications(incidentId: string): Promise<Record<string, unknown>[]> {
    return this.database.read.query(
      'SELECT * FROM notifier.notifications_v1 WHERE incident_id = $1 ORDER BY created_at, step',
      [incidentId],
    );
  }

  /** Waits until each of an incident's notifications has this status. */
  settled(incidentId: string, statuses: string[], timeoutMs = 10_000): Promise<Record<string, unknown>[]> {
    const wanted = JSON.stringify([...statuses].sort((a, b) => a.localeCompare(b)));
    const done = async (): Promise<Record<string, unknown>[] | false> => {
      const rows = await this.notifications(incidentId);
      const found = rows.map((row) => String(row['status'])).sort((a, b) => a.localeCompare(b));
      return JSON.stringify(found) === wanted && rows;
    };
    return until(done, { timeoutMs, what: `notifications to be ${statuses.join(', ')}` });
  }
}
