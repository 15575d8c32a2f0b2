import { createHash } from 'node:crypto';
import { commands, type AnyMonitor, monitorSpec, requests, subjects } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { atTheEnd, until } from '@tocsin/testing';
import { startPostgres } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { BOOTSTRAP, carryOut, startSystem, type System } from './system.ts';

let system: System;
let server: Awaited<ReturnType<typeof startPostgres>>;

beforeAll(async () => {
  server = await startPostgres();
  atTheEnd(() => server.stop());
  const database = await server.createDatabase('tocsin');
  system = await startSystem({ TOCSIN_DATABASE_URL: database.urlFor('monitors') });
}, 60_000);

const spec = (name: string) =>
  monitorSpec.parse({ kind: 'http', name, tags: ['made'], settings: { url: 'http://127.0.0.1:9/' } });
const create = (name: string): Promise<AnyMonitor> =>
  carryOut(system.messaging, commands.monitorsCreate, { spec: spec(name) });

/** What CONFIG says of each monitor now. */
async function config(messaging: Messaging): Promise<Map<string, { revision: number; deleted?: boolean }>> {
  const seen = new Map<string, { id: string; revision: number; deleted?: boolean }>();
  const filters = [subjects.monitorConfig('>')];
  const follow = await messaging.follow({ stream: 'CONFIG', filters, from: 'last-per-subject' }, ({ data }) => {
    const record = data as { id: string; revision: number };
    seen.set(record.id, record);
  });
  await follow.caughtUp;
  await follow.stop();
  return seen;
}

describe('CONFIG', () => {
  it('is made to say again what the record says, after it said something older, or of what is gone', async () => {
    const monitor = await create('reconciled');
    const patched = await carryOut(system.messaging, commands.monitorsPatch, {
      id: monitor.id,
      patch: { name: 'newer' },
    });
    const gone = { ...monitor, id: newId(), revision: 4 };
    await until(async () => (await config(system.messaging)).get(monitor.id)?.revision === patched.revision, {
      what: 'CONFIG to have heard of it',
    });
    // Changes are left alone for five seconds: they may be on their way.
    const mistaken = [monitor, gone];
    for (const record of mistaken)
      await system.messaging.publish(subjects.monitorConfig(record.id), record, { id: newId() });
    expect((await config(system.messaging)).get(monitor.id)?.revision).toBe(1);
    const said = await until(
      async () => {
        const now = await config(system.messaging);
        return now.get(monitor.id)?.revision === patched.revision && now.get(gone.id)?.deleted === true && now;
      },
      { timeoutMs: 15_000, what: 'CONFIG to be corrected', everyMs: 200 },
    );
    expect(said.get(gone.id)).toEqual({ id: gone.id, revision: 5, deleted: true });
  });
});

describe('while PostgreSQL is away', () => {
  it('reads go on, marked as stale, and commands are carried out when it is back', async () => {
    const monitor = await create('read before');
    const hash = createHash('sha256').update(BOOTSTRAP).digest('hex');
    const get = () =>
      system.messaging.request(requests.monitorsGet, { id: monitor.id }, { deadline: Date.now() + 8_000 });
    const list = () =>
      system.messaging.request(requests.monitorsList, { tag: 'made', limit: 10 }, { deadline: Date.now() + 8_000 });
    const verify = () => system.messaging.request(requests.tokensVerify, { hash }, { deadline: Date.now() + 8_000 });
    // Each instance has answered each of them: what grants a right is not shared between instances.
    for (let n = 0; n < 40; n += 1) await Promise.all([get(), list(), verify()]);
    await server.kill('SIGKILL');
    expect((await get()).monitor.id).toBe(monitor.id);
    expect((await list()).items.map((item) => item.id)).toContain(monitor.id);
    expect((await verify()).token?.name).toBe('bootstrap');
    const stale = await until(async () => ((await get()).stale ? get() : false), {
      timeoutMs: 15_000,
      what: 'it to be stale',
    });
    expect(stale).toMatchObject({ stale: true, monitor: { id: monitor.id } });
    const operationId = newId();
    const o = { operationId, requestHash: 'x', deadline: Date.now() + 500 };
    const end = await system.messaging.command(commands.monitorsCreate, { spec: spec('made meanwhile') }, o);
    expect(end.status).toBe('accepted');
    await server.restart();
    await until(
      async () => (await system.messaging.request(requests.operationsOfMonitors, { operationId })).status === 'done',
      { timeoutMs: 20_000, what: 'the command to be carried out', everyMs: 100 },
    );
    const { items } = await system.messaging.request(requests.monitorsList, { q: 'made meanwhile', limit: 10 });
    expect(items).toHaveLength(1);
  }, 60_000);
});

describe('while PostgreSQL is frozen', () => {
  it('the first read waits less than 1.5 s, later ones less than 0.5 s, all marked as stale; without Redis too', async () => {
    const monitor = await create('read before the frost');
    const hash = createHash('sha256').update(BOOTSTRAP).digest('hex');
    const o = () => ({ deadline: Date.now() + 5_000 });
    const list = { tag: 'made', limit: 10 };
    const reads = {
      get: () => system.messaging.request(requests.monitorsGet, { id: monitor.id }, o()),
      list: () => system.messaging.request(requests.monitorsList, list, o()),
      verify: () => system.messaging.request(requests.tokensVerify, { hash }, o()),
    };
    // Each instance has answered each of them: the broker chooses one of the two at random.
    for (let n = 0; n < 40; n += 1) await Promise.all([reads.get(), reads.list(), reads.verify()]);
    await server.kill('SIGSTOP');
    try {
      for (const round of ['with Redis', 'without']) {
        if (round === 'without') await system.redis.kill('SIGSTOP');
        const times: number[] = [];
        for (let n = 0; n < 12; n += 1) {
          const startedAt = performance.now();
          await Promise.all([reads.get(), reads.list(), reads.verify()]);
          times.push(performance.now() - startedAt);
        }
        expect(Math.max(...times)).toBeLessThan(1_500);
        // Two instances find out for themselves, and look again every two seconds.
        expect(times.filter((ms) => ms > 500).length).toBeLessThanOrEqual(4);
        expect(await reads.list()).toMatchObject({ stale: true });
        expect((await reads.verify()).token?.name).toBe('bootstrap');
      }
    } finally {
      await server.kill('SIGCONT');
      await system.redis.kill('SIGCONT');
    }
    await until(async () => !(await reads.list()).stale, { timeoutMs: 15_000, what: 'a fresh list' });
  }, 60_000);
});
