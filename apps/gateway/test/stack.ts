import { randomBytes } from 'node:crypto';
import { type ChannelSpec, commands, consumers, type Heartbeat, type Monitor, requests } from '@tocsin/contracts';
import { heartbeatKeysOf, newId, type SecretKeys, TocsinError, tokenSecret } from '@tocsin/core';
import { natsServer, redisServer } from '@tocsin/testing';
import type { RunningNats, RunningRedis } from '@tocsin/testing/servers';
import { type RunningGateway, startGateway } from './gateway.process.ts';
import { FakeMonitors, FakeOwner, tokens, verify } from './owners.ts';

export interface Reply {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- what an API answers is looked into by tests
  body: any;
  text: string;
}

export interface Ask {
  as?: keyof typeof tokens | undefined;
  headers?: Record<string, string>;
  json?: unknown;
  raw?: string | Uint8Array<ArrayBuffer>;
}

/** A gateway with real NATS and Redis, and fake owners that a test can look into and make misbehave. */
export class Stack {
  readonly monitors = new FakeMonitors();
  /** While set, the owner of monitors keeps this long before it carries a change out. */
  delayMs = 0;
  statusAway = false;
  /** While set, the owner of states and incidents answers nothing, as if it were frozen. */
  statusFrozen: Promise<void> | undefined;
  /** How old its answers about states are. */
  statesAge = { ageMs: 2_500, stale: true };
  /** How old its answers about incidents are. */
  incidentsAge = { ageMs: 3_500, stale: true };
  /** How long the owner of monitors takes to read one. */
  readMs = 0;
  /** What the owner of incidents received, in order. */
  readonly heartbeats: Heartbeat[] = [];

  private constructor(
    readonly secret: SecretKeys,
    readonly redis: RunningRedis,
    readonly owners: { monitors: FakeOwner; incidents: FakeOwner; notifier: FakeOwner; status: FakeOwner },
    readonly env: Record<string, string>,
  ) {}

  /** What the gateway makes of its secret where it has no key of its own for them. */
  get heartbeatKeys(): SecretKeys {
    return heartbeatKeysOf(this.secret);
  }

  gateway!: RunningGateway;
  nats!: RunningNats;

  static async start(env: Record<string, string> = {}): Promise<Stack> {
    const [nats, redis] = await Promise.all([natsServer(), redisServer()]);
    const connect = (service: string): Promise<FakeOwner> => FakeOwner.connect(service, nats.url);
    // One after the other: each makes sure that the streams are there.
    const owners = {
      monitors: await connect('monitors'),
      incidents: await connect('incidents'),
      notifier: await connect('notifier'),
      status: await connect('status'),
    };
    const secret = randomBytes(32);
    const all = {
      TOCSIN_NATS_URLS: nats.url,
      TOCSIN_REDIS_URL: redis.url,
      TOCSIN_SECRET: secret.toString('base64'),
      ...env,
    };
    const stack = new Stack([secret], redis, owners, all);
    stack.nats = nats;
    stack.define();
    await Promise.all(Object.values(owners).map((owner) => owner.start()));
    stack.gateway = await startGateway(all);
    return stack;
  }

  async ask(method: string, path: string, o: Ask = {}): Promise<Reply> {
    const as = 'as' in o ? o.as : 'admin';
    const response = await fetch(this.gateway.url + path, {
      method,
      headers: {
        ...(as ? { authorization: `Bearer ${tokens[as]}` } : {}),
        ...(o.json === undefined ? {} : { 'content-type': 'application/json' }),
        ...o.headers,
      },
      ...(o.json === undefined ? {} : { body: JSON.stringify(o.json) }),
      ...(o.raw === undefined ? {} : { body: o.raw }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text ? JSON.parse(text) : undefined,
    };
  }

  private define(): void {
    const { monitors: store } = this;
    const later = async <T>(make: () => T): Promise<T> => {
      if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
      return make();
    };
    this.owners.monitors
      .answers(requests.tokensVerify, verify)
      .answers(requests.monitorsGet, async ({ id }: { id: string }) => {
        if (this.readMs > 0) await new Promise((resolve) => setTimeout(resolve, this.readMs));
        return { monitor: store.get(id), ageMs: 0, stale: false };
      })
      .answers(requests.monitorsList, (query: { cursor?: string }) => {
        if (query.cursor !== undefined) throw new TocsinError('invalid', 'The cursor is not one of ours.');
        return { items: [...store.all.values()] };
      })
      .answers(requests.tokensList, () => ({ items: [] }))
      .carriesOut(commands.monitorsCreate, ({ spec }: { spec: Monitor['spec'] }) => later(() => store.create(spec)))
      .carriesOut(commands.monitorsReplace, (input: { id: string; ifRevision?: number; spec: unknown }) =>
        store.change(input, () => input.spec),
      )
      .carriesOut(commands.monitorsPatch, (input: { id: string; ifRevision?: number; patch: object }) =>
        store.change(input, ({ spec }) => ({ ...spec, ...input.patch })),
      )
      .carriesOut(commands.monitorsDelete, ({ id, ifRevision }: { id: string; ifRevision?: number }) => {
        store.change({ id, ifRevision }, ({ spec }) => spec);
        store.all.delete(id);
        return { id };
      })
      .carriesOut(commands.channelsCreate, ({ spec }: { spec: ChannelSpec }) => {
        return { id: newId(), revision: 1, createdAt: 1, updatedAt: 1, spec };
      })
      .carriesOut(commands.tokensCreate, ({ spec }: { spec: unknown }) => {
        const id = newId();
        return { id, createdAt: 1, spec, secret: tokenSecret(this.secret, id) };
      })
      .knowsOperations(requests.operationsOfMonitors);
    this.owners.incidents
      .knowsOperations(requests.operationsOfIncidents)
      .handles(consumers.incidentsHeartbeats, (heartbeat: Heartbeat) => void this.heartbeats.push(heartbeat));
    this.owners.notifier.knowsOperations(requests.operationsOfNotifier);
    this.owners.status.answers(requests.statesGet, async ({ monitorIds }: { monitorIds: string[] }) => {
      await this.statusFrozen;
      if (this.statusAway) throw new TocsinError('unavailable', 'away');
      const one = { state: 'up', since: 1, reason: 'ok', message: 'ok', name: 'm' };
      return { items: monitorIds.map((monitorId) => ({ monitorId, ...one })), ...this.statesAge };
    });
    this.owners.status.answers(requests.incidentsList, async () => {
      await this.statusFrozen;
      return { items: [], next: 'n', ...this.incidentsAge };
    });
  }
}

/** A monitor that is valid, with what a test wants different. */
export function anHttpMonitor(settings: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  return { kind: 'http', name: 'shop', ...more, settings: { url: 'https://shop.example/', ...settings } };
}
