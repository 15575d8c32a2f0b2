import { monitorKinds, monitorSpec, routes, type Route } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from './gateway.process.ts';
import { tokens } from './owners.ts';
import { anHttpMonitor, Stack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});

const rank = { anyone: 0, viewer: 1, editor: 2, admin: 3 } as const;
const rows = Object.entries(routes as Readonly<Record<string, Route>>).filter(([, route]) => route.role !== 'anyone');

describe('a monitor of a kind that a later version brought', () => {
  it('is shown as it is to editors, and to viewers without the settings, by itself and in lists', async () => {
    const id = newId();
    const known = monitorSpec.parse(anHttpMonitor());
    const spec = { ...known, kind: 'icmp', settings: { host: 'a.example', packets: 3 } };
    stack.monitors.all.set(id, { id, revision: 1, createdAt: 1, updatedAt: 1, gridSince: 1, spec } as never);
    const [createdAt, updatedAt, gridSince] = Array.from({ length: 3 }, () => '1970-01-01T00:00:00.001Z');
    const record = { id, revision: 1, createdAt, updatedAt, gridSince, spec };
    const whole = await stack.ask('GET', `/v1/monitors/${id}`, { as: 'editor' });
    expect([whole.status, whole.body]).toEqual([200, record]);
    // What of it may be secret is not known here.
    const one = await stack.ask('GET', `/v1/monitors/${id}`, { as: 'viewer' });
    expect([one.status, one.body]).toEqual([200, { ...record, spec: { ...spec, settings: {} } }]);
    const list = await stack.ask('GET', '/v1/monitors', { as: 'viewer' });
    expect([list.status, list.body.items]).toMatchObject([
      200,
      expect.arrayContaining([expect.objectContaining({ id })]),
    ]);
    stack.monitors.all.delete(id);
  });
});

describe('the kinds of monitors and channels', () => {
  it('are told to viewers with the schemas of their settings, and not again to whom has them', async () => {
    const first = await stack.ask('GET', '/v1/kinds', { as: 'viewer' });
    const { monitors, channels } = first.body as Record<string, { kind: string; settings: object }[]>;
    expect(monitors?.map(({ kind }) => kind)).toEqual(Object.keys(monitorKinds));
    expect(channels?.[0]).toMatchObject({ kind: 'webhook', settings: { properties: { secret: { writeOnly: true } } } });
    const headers = { 'if-none-match': first.headers.get('etag')! };
    expect(await stack.ask('GET', '/v1/kinds', { as: 'viewer', headers })).toMatchObject({ status: 304 });
  });
});

describe('who may do what', () => {
  it.each(rows)('%s is for its role and those above it', async (_name, route) => {
    const path = route.path.replaceAll(/\{\w+\}/g, '0'); // no valid identifier: admitted requests go no further
    const unknownQuery = `${path}?unknown=1`;
    for (const as of ['viewer', 'editor', 'admin'] as const) {
      const { status, body } = await stack.ask(route.method, unknownQuery, { as });
      expect([status, body.code]).toEqual(rank[as] < rank[route.role] ? [403, 'forbidden'] : [400, 'invalid']);
    }
    const nobody = await stack.ask(route.method, unknownQuery, { as: undefined });
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="tocsin"']);
  });

  it.each([
    'Basic YTpi',
    'Bearer',
    'Bearer hunter2',
    'Bearer tsn_',
    'Bearer tsn_unknown-unknown-unknown',
    'Bearer tsn_ä',
  ])('a bad token is 401: %s', async (authorization) => {
    const headers = { authorization: Buffer.from(authorization, 'utf8').toString('latin1') };
    const reply = await stack.ask('GET', '/v1/monitors', { as: undefined, headers });
    expect([reply.status, reply.body.code]).toEqual([401, 'unauthenticated']);
    expect(reply.text).not.toContain('hunter2');
  });

  it('heartbeat keys are for editors, not for viewers', async () => {
    const spec = { kind: 'heartbeat', name: 'backup', settings: { schedule: { every: '1h' } } };
    const made = await stack.ask('POST', '/v1/monitors', { json: spec, as: 'editor' });
    expect(made.body.heartbeatUrl).toBe(`/v1/heartbeats/${made.body.heartbeatKey}`);
    const read = await stack.ask('GET', `/v1/monitors/${made.body.id}`, { as: 'viewer' });
    expect(read.status).toBe(200);
    expect(read.body.heartbeatKey).toBeUndefined();
  });
});

describe('bounds', () => {
  it('a token that asks too often is told when to come back: 429', async () => {
    const { url } = await startGateway({ ...stack.env, TOCSIN_RATE_PER_SECOND: '1', TOCSIN_RATE_BURST: '3' });
    const ask = (as: keyof typeof tokens) =>
      fetch(`${url}/v1/monitors`, { headers: { authorization: `Bearer ${tokens[as]}` } });
    const replies = [];
    for (let i = 0; i < 4; i++) replies.push(await ask('viewer'));
    expect(replies.map((one) => one.status)).toEqual([200, 200, 200, 429]);
    expect(Number(replies[3]!.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(replies[3]!.headers.get('ratelimit')).toMatch(/^"token";r=0;t=[1-9]/);
    expect((await ask('admin')).status).toBe(200);
  });

  it('more requests at a time than an instance can work on are refused early: 503', async () => {
    const { url } = await startGateway({ ...stack.env, TOCSIN_MAX_REQUESTS: '2', TOCSIN_MAX_STREAMS: '1' });
    const create = () =>
      fetch(`${url}/v1/monitors`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tokens.admin}`, 'content-type': 'application/json' },
        body: JSON.stringify(anHttpMonitor()),
      });
    await create();
    stack.delayMs = 300;
    const statuses = (await Promise.all([create(), create(), create(), create()])).map((one) => one.status);
    stack.delayMs = 0;
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, 201, 503, 503]);
    expect((await create()).status).toBe(201);
    const stream = () => fetch(`${url}/v1/events`, { headers: { authorization: `Bearer ${tokens.viewer}` } });
    const first = await stream();
    expect([first.status, (await stream()).status]).toEqual([200, 503]);
    await first.body!.cancel();
    await until(
      async () => {
        const again = await stream();
        await again.body!.cancel();
        return again.status === 200;
      },
      { what: 'room for another stream' },
    );
  });

  it('a wrong environment refuses to start, and says which key', async () => {
    await expect(startGateway({ ...stack.env, TOCSIN_SECRET: 'short', TOCSIN_RATE_BURST: 'many' })).rejects.toThrow(
      /ended with 78[\s\S]*TOCSIN_SECRET must be 32 bytes[\s\S]*TOCSIN_RATE_BURST must be a whole number/,
    );
  });
});

describe('while the owner of tokens is away', () => {
  it('a token that was good stays good, without Redis too, and one that nobody knows is not let in', async () => {
    expect((await stack.ask('GET', '/v1/system', { as: 'viewer' })).status).toBe(200);
    await stack.owners.monitors.transport.drain();
    expect((await stack.ask('GET', '/v1/system', { as: 'viewer' })).status).toBe(200);
    await stack.redis.kill('SIGSTOP');
    try {
      for (let i = 0; i < 3; i++) expect((await stack.ask('GET', '/v1/system', { as: 'viewer' })).status).toBe(200);
    } finally {
      // Back again, Redis is not trusted with what it held before, so nothing is cached any more.
      await stack.redis.kill('SIGCONT');
    }
    await until(() => stack.gateway.logs.some((line) => line.includes('Redis is back')), { what: 'Redis to be back' });
    expect((await stack.ask('GET', '/v1/system', { as: 'viewer' })).status).toBe(200);
    const headers = { authorization: `Bearer tsn_${newId()}`, prefer: 'wait=1' };
    const unknown = await stack.ask('GET', '/v1/system', { as: undefined, headers });
    expect([503, 504]).toContain(unknown.status);
    expect(unknown.headers.get('retry-after')).toBe('1');
  });
});
