import { createHash } from 'node:crypto';
import { type AnyMonitor, commands, HIDDEN, type IfRevision, monitorSpec, requests } from '@tocsin/contracts';
import { isSealed, newId } from '@tocsin/core';
import type { Followed } from '@tocsin/messaging';
import { Database } from '@tocsin/database';
import { atTheEnd, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { BOOTSTRAP, carryOut, startSystem, type System } from './system.ts';

let system: System;
const seen: Followed[] = [];

beforeAll(async () => {
  system = await startSystem({ TOCSIN_MAX_CHANNELS: '12' });
  for (const stream of ['CONFIG', 'EVENTS']) {
    const filters = [`${stream.toLowerCase()}.>`];
    await system.messaging.follow({ stream, filters, from: 'all' }, (message) => seen.push(message));
  }
}, 60_000);

const webhook = (name = 'hook') => ({
  kind: 'webhook' as const,
  name,
  settings: { url: 'http://127.0.0.1:9/', secret: 's3cret' },
});
const http = (over: object = {}) =>
  monitorSpec.parse({ kind: 'http', name: 'site', interval: '10s', settings: { url: 'http://127.0.0.1:9/' }, ...over });
const create = (over: object = {}): Promise<AnyMonitor> =>
  carryOut(system.messaging, commands.monitorsCreate, { spec: http(over) });
const told = (subject: string): Followed[] => seen.filter((message) => message.subject === subject);

describe('a search', () => {
  const found = async (q: string): Promise<string[]> =>
    (await system.messaging.request(requests.monitorsList, { q, limit: 100 })).items.map(({ id }) => id);

  it('knows neither case nor form, in all of Unicode, and % and _ are letters like others', async () => {
    const { id } = await create({ name: 'Zürich Überwachung Straße ΟΔΟΣ 50%_' });
    for (const q of ['zürich überwachung', 'ZÜRICH ÜBER', 'Zu\u0308rich', 'STRASSE', 'οδος', '50%_']) {
      expect(await found(q)).toEqual([id]);
    }
    for (const q of ['zurich', 'z%wachung', '50__']) expect(await found(q)).toEqual([]);
    await carryOut(system.messaging, commands.monitorsPatch, { id, patch: { name: 'Genève Éclair' } });
    expect(await found('ÉCLAIR')).toEqual([id]);
    expect(await found('zürich')).toEqual([]);
  });

  it('finds what an instance of before has written: in ASCII at once, and soon in all of Unicode', async () => {
    const { id } = await create({ name: 'Größe' });
    const database = new Database({
      url: system.database.urlFor('monitors'),
      schema: 'monitors',
      applicationName: 't',
    });
    atTheEnd(() => database.close());
    // It knows nothing of the columns beside the name.
    await database.query(`UPDATE monitors SET name = 'Ölstand XYZZY' WHERE id = $1`, [id]);
    expect(await found('xyzzy')).toEqual([id]);
    await until(async () => (await found('ölSTAND')).includes(id), { what: 'the name to be folded' });
    expect(await found('größe')).toEqual([]);
  });
});

describe('a change', () => {
  it('takes effect once per operation, on whichever instances it is carried out', async () => {
    const operationId = newId();
    const command = { spec: http({ name: 'once' }) };
    const o = { operationId, requestHash: 'one' };
    const monitor = await carryOut(system.messaging, commands.monitorsCreate, command, o);
    const recorded = await system.messaging.request(requests.operationsOfMonitors, { operationId });
    expect(recorded).toMatchObject({ status: 'done', result: { id: monitor.id, revision: 1 } });
    const { items } = await system.messaging.request(requests.monitorsList, { q: 'ONCE', limit: 10 });
    expect(items.map((item) => item.id)).toEqual([monitor.id]);
    await until(() => told(`config.monitors.${monitor.id}`).length, { what: 'its configuration' });
    expect(told(`config.monitors.${monitor.id}`).map((message) => message.data)).toEqual([monitor]);
    expect(told(`events.monitors.${monitor.id}`).map((message) => message.data)).toEqual([
      { monitorId: monitor.id, name: 'once', change: 'created', revision: 1, at: monitor.createdAt },
    ]);
  });

  it('is refused when it was made of an older revision', async () => {
    const { id } = await create();
    const patch = (ifRevision: IfRevision): Promise<AnyMonitor> =>
      carryOut(system.messaging, commands.monitorsPatch, {
        id,
        ifRevision,
        patch: { description: `of ${String(ifRevision)}` },
      });
    expect((await patch(1)).revision).toBe(2);
    await expect(patch(1)).rejects.toMatchObject({ code: 'stale', details: { revision: 2 } });
    // Of several, one will do.
    expect((await patch([7, 2])).revision).toBe(3);
    await expect(patch([7, 2])).rejects.toMatchObject({ code: 'stale', message: expect.stringContaining('7 or 2') });
  });

  it('of many at once, with the same revision, only one succeeds', async () => {
    const { id } = await create();
    const ends = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) =>
        carryOut(system.messaging, commands.monitorsPatch, { id, ifRevision: 1, patch: { description: `${n}` } }),
      ),
    );
    expect(ends.filter((end) => end.status === 'fulfilled')).toHaveLength(1);
  });

  it('that was refused is remembered as refused', async () => {
    const operationId = newId();
    const refused = carryOut(system.messaging, commands.monitorsDelete, { id: newId() }, { operationId });
    await expect(refused).rejects.toMatchObject({ code: 'not_found' });
    const recorded = await system.messaging.request(requests.operationsOfMonitors, { operationId });
    expect(recorded).toMatchObject({ status: 'failed', error: { code: 'not_found' } });
  });

  it('nobody asked for is unknown', async () => {
    expect(await system.messaging.request(requests.operationsOfMonitors, { operationId: newId() })).toEqual({
      status: 'unknown',
    });
  });
});

describe('a monitor', () => {
  it('is patched as RFC 7396 says, checked as a whole, and told of', async () => {
    const { id } = await create({ tags: ['a'], description: 'x' });
    const patch = { name: 'renamed', description: null, settings: { method: 'HEAD' } };
    const patched = await carryOut(system.messaging, commands.monitorsPatch, { id, patch });
    expect(patched.spec).toMatchObject({
      name: 'renamed',
      description: '',
      tags: ['a'],
      settings: { method: 'HEAD', url: 'http://127.0.0.1:9/' },
    });
    const read = await system.messaging.request(requests.monitorsGet, { id });
    expect(read).toMatchObject({ monitor: { revision: 2 }, stale: false });
    const bad = carryOut(system.messaging, commands.monitorsPatch, { id, patch: { settings: { nonsense: 1 } } });
    await expect(bad).rejects.toMatchObject({ code: 'invalid', fields: [{ path: '/settings/nonsense' }] });
  });

  it('that an earlier version took with 1xx is read, and changed once that is mended', async () => {
    const { id } = await create();
    const database = new Database({
      url: system.database.urlFor('monitors'),
      schema: 'monitors',
      applicationName: 't',
    });
    atTheEnd(() => database.close());
    const settings = { ...http().settings, acceptedStatus: ['100-299'] };
    await database.query(`UPDATE monitors SET spec = $2 WHERE id = $1`, [id, JSON.stringify({ ...http(), settings })]);
    const patch = (given: object): Promise<AnyMonitor> =>
      carryOut(system.messaging, commands.monitorsPatch, { id, patch: { name: 'renamed', ...given } });
    await expect(patch({})).rejects.toMatchObject({
      code: 'invalid',
      fields: [{ path: '/settings/acceptedStatus/0' }],
    });
    expect(await system.messaging.request(requests.monitorsGet, { id })).toMatchObject({
      monitor: { spec: { name: 'site', settings } },
    });
    const { spec } = await patch({ settings: { acceptedStatus: ['200-299'] } });
    expect(spec.name).toBe('renamed');
  });

  it('is refused with the fields that no check could run with, and channels that are not there', async () => {
    const assertions = [{ type: 'body', op: 'matches', value: '(' }];
    const bad = create({ channels: [newId()], settings: { url: 'http://127.0.0.1/', assertions } });
    await expect(bad).rejects.toMatchObject({
      code: 'invalid',
      fields: [{ path: '/settings/assertions/0/value' }, { path: '/channels/0' }],
    });
  });

  it('keeps its secrets sealed, and keeps them when HIDDEN is sent back', async () => {
    const settings = (password: string) => ({
      url: 'http://127.0.0.1/',
      auth: { type: 'basic', username: 'u', password },
    });
    const monitor = await create({ settings: settings('s3cret') });
    const passwordOf = ({ spec }: AnyMonitor): string =>
      (spec.settings as { auth: { password: string } }).auth.password;
    expect(isSealed(passwordOf(monitor))).toBe(true);
    const spec = http({ name: 'other', settings: settings(HIDDEN) });
    const replaced = await carryOut(system.messaging, commands.monitorsReplace, { id: monitor.id, spec });
    expect(passwordOf(replaced)).toBe(passwordOf(monitor));
    await expect(create({ settings: settings(HIDDEN) })).rejects.toMatchObject({
      code: 'invalid',
      fields: [{ path: '/settings/auth/password' }],
    });
  });

  it('gives no secret that it keeps to another address, by PUT or by PATCH', async () => {
    const settings = (url: string, token: string) => ({ url, auth: { type: 'bearer', token } });
    const { id } = await create({ settings: settings('http://127.0.0.1:9/', 's3cret') });
    const elsewhere = 'http://127.0.0.1:10/';
    const refused = { code: 'invalid', fields: [{ path: '/settings/auth/token' }] };
    const spec = http({ settings: settings(elsewhere, HIDDEN) });
    await expect(carryOut(system.messaging, commands.monitorsReplace, { id, spec })).rejects.toMatchObject(refused);
    for (const patch of [{ settings: { url: elsewhere } }, { settings: { tls: { verify: false } } }]) {
      await expect(carryOut(system.messaging, commands.monitorsPatch, { id, patch })).rejects.toMatchObject(refused);
    }
    const moved = { settings: settings(elsewhere, 'another') };
    expect(await carryOut(system.messaging, commands.monitorsPatch, { id, patch: moved })).toMatchObject({
      revision: 2,
    });
  });

  it('leaves a tombstone when it is deleted', async () => {
    const { id } = await create();
    await carryOut(system.messaging, commands.monitorsDelete, { id, ifRevision: 1 });
    await expect(system.messaging.request(requests.monitorsGet, { id })).rejects.toMatchObject({ code: 'not_found' });
    await until(() => told(`events.monitors.${id}`).length === 2, { what: 'both events' });
    await until(() => told(`config.monitors.${id}`).at(-1)?.data, { what: 'the tombstone' });
    expect(told(`config.monitors.${id}`).at(-1)?.data).toEqual({
      id,
      revision: 2,
      deleted: true,
      at: expect.any(Number),
    });
  });

  it('is checked now from each location, once per operation', async () => {
    const tasks = async (): Promise<number> => {
      const queues = await system.messaging.queues();
      return queues.find((queue) => queue.stream === 'CHECKS')?.messages ?? 0;
    };
    const { id } = await create({ locations: ['here', 'there'] });
    await carryOut(system.messaging, commands.monitorsCheck, { id });
    await until(async () => (await tasks()) === 2, { what: 'a task for each location' });
    const beat = monitorSpec.parse({ kind: 'heartbeat', name: 'h', settings: { schedule: { every: '1m' } } });
    const heartbeat = await carryOut(system.messaging, commands.monitorsCreate, { spec: beat });
    const check = carryOut(system.messaging, commands.monitorsCheck, { id: heartbeat.id });
    await expect(check).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('lists', () => {
  it('are filtered, and page by cursor in the order things were made', async () => {
    const made = [];
    for (let n = 0; n < 5; n++)
      made.push(await create({ name: `page ${n}`, tags: ['pages', n < 3 ? 'low' : 'high'], paused: n === 0 }));
    const ids = made.map((monitor) => monitor.id);
    const list = (query: object) =>
      system.messaging.request(requests.monitorsList, { tag: 'pages', limit: 2, ...query });
    const first = await list({});
    const second = await list({ cursor: first.next });
    const third = await list({ cursor: second.next });
    expect([first, second, third].flatMap((page) => page.items.map((item) => item.id))).toEqual(ids);
    expect(third.next).toBeUndefined();
    expect((await list({ tag: ['pages', 'high'] })).items.map((item) => item.id)).toEqual(ids.slice(3));
    expect((await list({ paused: true })).items.map((item) => item.id)).toEqual([ids[0]]);
    expect((await list({ kind: 'tcp' })).items).toEqual([]);
    await expect(list({ cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'invalid',
      fields: [{ path: '/cursor' }],
    });
  });
});

describe('a channel', () => {
  it('that monitors use is not deleted, and the refusal names them', async () => {
    const channel = await carryOut(system.messaging, commands.channelsCreate, { spec: webhook() });
    const user = await create({ name: 'its user', channels: [channel.id] });
    const remove = (): Promise<{ id: string }> =>
      carryOut(system.messaging, commands.channelsDelete, { id: channel.id });
    await expect(remove()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('its user') as string,
    });
    await carryOut(system.messaging, commands.monitorsPatch, { id: user.id, patch: { channels: [] } });
    await expect(remove()).resolves.toEqual({ id: channel.id });
    await until(() => told(`config.channels.${channel.id}`).length, { what: 'its configuration' });
  });

  it('is either used or deleted when both happen at once', async () => {
    for (let round = 0; round < 5; round++) {
      const { id } = await carryOut(system.messaging, commands.channelsCreate, { spec: webhook() });
      const [used, deleted] = await Promise.allSettled([
        create({ channels: [id] }),
        carryOut(system.messaging, commands.channelsDelete, { id }),
      ]);
      expect([used.status, deleted.status].toSorted()).toEqual(['fulfilled', 'rejected']);
    }
  });

  it('is refused beyond the bound, however many are made at once', async () => {
    const before = (await system.messaging.request(requests.channelsList, { limit: 100 })).items.length;
    const ends = await Promise.allSettled(
      Array.from({ length: 20 }, () => carryOut(system.messaging, commands.channelsCreate, { spec: webhook() })),
    );
    expect(ends.filter((end) => end.status === 'fulfilled')).toHaveLength(12 - before);
    const refused = ends.find((end) => end.status === 'rejected');
    expect(refused?.reason).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('TOCSIN_MAX_CHANNELS') as string,
    });
  });
});

describe('an API token', () => {
  const verify = (secret: string) =>
    system.messaging.request(requests.tokensVerify, { hash: createHash('sha256').update(secret).digest('hex') });

  it('given at the start is stored once by two instances, as admin', async () => {
    expect((await verify(BOOTSTRAP)).token).toMatchObject({ name: 'bootstrap', role: 'admin' });
    const { items } = await system.messaging.request(requests.tokensList, { limit: 100 });
    expect(items.filter((item) => item.spec.name === 'bootstrap')).toHaveLength(1);
  });

  it('shows its secret to its operation alone, works, and stops working when it is deleted', async () => {
    const operationId = newId();
    const spec = { name: 'ci', role: 'editor' as const };
    const created = await carryOut(system.messaging, commands.tokensCreate, { spec }, { operationId });
    const again = await system.messaging.request(requests.operationsOfMonitors, { operationId });
    expect(again).toMatchObject({ status: 'done', result: created });
    expect(created.secret).toMatch(/^tsn_[\w-]{43}$/);
    expect((await verify(created.secret)).token).toMatchObject({ id: created.id, role: 'editor' });
    const { items } = await system.messaging.request(requests.tokensList, { limit: 100 });
    expect(JSON.stringify(items)).not.toContain(created.secret);
    await carryOut(system.messaging, commands.tokensDelete, { id: created.id });
    expect((await verify(created.secret)).token).toBeNull();
  });

  it('that has expired does not work', async () => {
    const spec = { name: 'short', role: 'viewer' as const, expiresAt: Date.now() - 1 };
    const created = await carryOut(system.messaging, commands.tokensCreate, { spec });
    expect((await verify(created.secret)).token).toBeNull();
  });

  it('is not deleted when it is the last admin token', async () => {
    const { id } = (await verify(BOOTSTRAP)).token!;
    await expect(carryOut(system.messaging, commands.tokensDelete, { id })).rejects.toMatchObject({ code: 'conflict' });
  });
});
