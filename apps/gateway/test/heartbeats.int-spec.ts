import { connect } from 'node:net';
import type { Heartbeat } from '@tocsin/contracts';
import { heartbeatKey, newId } from '@tocsin/core';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Stack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});

describe('heartbeats', () => {
  const monitorId = newId();
  const received = (count: number): Promise<Heartbeat> =>
    until(() => stack.heartbeats.length >= count && stack.heartbeats.at(-1), { what: `${count} heartbeats` });
  const beat = (
    path = '',
    o: {
      method?: string;
      body?: Uint8Array<ArrayBuffer> | string;
      key?: string;
      headers?: Record<string, string>;
    } = {},
  ) =>
    stack.ask(o.method ?? 'POST', `/v1/heartbeats/${o.key ?? heartbeatKey(stack.heartbeatKeys, monitorId)}${path}`, {
      as: undefined,
      ...(o.body === undefined ? {} : { raw: o.body }),
      ...(o.headers ? { headers: o.headers } : {}),
    });

  it('need no token but their key, and are stored before they are answered', async () => {
    expect(await beat()).toMatchObject({ status: 200, body: { ok: true } });
    expect(await received(1)).toMatchObject({ monitorId, signal: 'success' });
  });

  it.each([
    ['GET', '', { signal: 'success' }],
    ['HEAD', '', { signal: 'success' }],
    ['POST', '/start', { signal: 'start' }],
    ['GET', '/fail', { signal: 'fail' }],
    ['POST', '/0', { signal: 'success', exitCode: 0 }],
    ['HEAD', '/137', { signal: 'fail', exitCode: 137 }],
  ])('%s %s', async (method, path, expected) => {
    const count = stack.heartbeats.length;
    expect((await beat(path, { method })).status).toBe(200);
    expect(await received(count + 1)).toMatchObject(expected);
  });

  it('carry a message of any type; invalid UTF-8 is replaced and too much is cut off', async () => {
    const count = stack.heartbeats.length;
    await beat('/fail', { body: new Uint8Array([104, 105, 255, 0]), headers: { 'content-type': 'application/json' } });
    expect((await received(count + 1)).message).toBe('hi\uFFFD\uFFFD');
    expect((await beat('', { body: 'x'.repeat(50_000) })).status).toBe(200);
    expect((await received(count + 2)).message).toHaveLength(10_000);
  });

  it.each(['POST', 'GET', 'HEAD'])('%s says which run it is about, in either case', async (method) => {
    const rid = newId();
    for (const [path, signal] of [
      ['/start', 'start'],
      ['/fail', 'fail'],
      ['/0', 'success'],
      ['', 'success'],
    ] as const) {
      const count = stack.heartbeats.length;
      expect((await beat(`${path}?rid=${rid.toUpperCase()}&other=1`, { method })).status).toBe(200);
      expect(await received(count + 1)).toMatchObject({ signal, rid });
    }
  });

  it('of two runs under one Idempotency-Key are two', async () => {
    const count = stack.heartbeats.length;
    const headers = { 'idempotency-key': 'two-runs' };
    for (let n = 0; n < 2; n++) await beat(`/start?rid=${newId()}`, { headers });
    await received(count + 2);
    expect(new Set(stack.heartbeats.slice(count).map(({ pingId }) => pingId)).size).toBe(2);
  });

  it('sent twice with one Idempotency-Key count once', async () => {
    const count = stack.heartbeats.length;
    for (let i = 0; i < 2; i++) expect((await beat('', { headers: { 'idempotency-key': 'once' } })).status).toBe(200);
    await beat('/7');
    expect((await received(count + 2)).exitCode).toBe(7);
    expect(stack.heartbeats.length).toBe(count + 2);
  });

  it('of another kind under the same key count too', async () => {
    const count = stack.heartbeats.length;
    const headers = { 'idempotency-key': 'run-1' };
    for (const path of ['/start', '', '/start']) expect((await beat(path, { headers })).status).toBe(200);
    await beat('', { headers, body: 'done' });
    await received(count + 3);
    expect(stack.heartbeats.slice(count)).toMatchObject([
      { signal: 'start' },
      { signal: 'success' },
      { signal: 'success', message: 'done' },
    ]);
  });

  it.each([
    ['a key that is none', { key: 'nonsense' }, '', 404, 'not_found'],
    ['a key of another deployment', { key: heartbeatKey([Buffer.alloc(32)], monitorId) }, '', 404, 'not_found'],
    ['an exit code that is none', {}, '/256', 400, 'invalid'],
    ['an unknown signal', {}, '/stop', 400, 'invalid'],
    ['a run id that is no UUID', {}, '/start?rid=7', 400, 'invalid'],
    ['two run ids', {}, `?rid=${newId()}&rid=${newId()}`, 400, 'invalid'],
    ['a method that is not offered', { method: 'DELETE' }, '', 405, 'method_not_allowed'],
  ])('%s is refused', async (...row) => {
    const [, o, path, status, code] = row;
    const count = stack.heartbeats.length;
    expect(await beat(path, o)).toMatchObject({ status, body: { code } });
    await beat('/7');
    await received(count + 1);
    expect(stack.heartbeats.length).toBe(count + 1);
  });

  it('come too often at some point: 429, but a failure is heard after any burst of successes', async () => {
    const key = heartbeatKey(stack.heartbeatKeys, newId());
    const statuses = await Promise.all(Array.from({ length: 70 }, async () => (await beat('', { key })).status));
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    expect((await beat()).status).toBe(200);
    const failures = Array.from({ length: 20 }, async (_, n) => (await beat(n % 2 ? '/fail' : '/3', { key })).status);
    expect(new Set(await Promise.all(failures))).toEqual(new Set([200]));
  });
});

describe('the monitor of a cron job', () => {
  const spec = (schedule: object) => ({ kind: 'heartbeat', name: 'backup', settings: { schedule } });
  const make = (schedule: object) => stack.ask('POST', '/v1/monitors', { json: spec(schedule) });

  it('is answered with the next five times of its expression, in its zone', async () => {
    const made = await make({ cron: '30 3 * * *', timezone: 'Asia/Kolkata' });
    const times = made.body.nextTimes as string[];
    expect(times).toHaveLength(5);
    expect(Date.parse(times[0]!)).toBeGreaterThan(Date.now());
    for (const at of times) expect(at).toMatch(/T22:00:00\.000Z$/);
    const read = await stack.ask('GET', `/v1/monitors/${made.body.id}`, { as: 'viewer' });
    expect(read.body.nextTimes).toEqual(times);
  });

  it('shows that six fields begin with seconds', async () => {
    const { body } = await make({ cron: '0 12 * * ? *' });
    const [first, second] = body.nextTimes as [string, string];
    expect(Date.parse(second) - Date.parse(first)).toBe(3_600_000);
  });

  it('has none where the times depend on the last ping', async () => {
    expect((await make({ every: '1h' })).body).not.toHaveProperty('nextTimes');
  });
});

describe('a ping is no document: its body refuses nothing', () => {
  /** Sends a request as it is written, and returns the whole answer and the heartbeat that came of it. */
  async function send(head: string[], body: string | Buffer = '', path = '/fail'): Promise<[number, Heartbeat]> {
    const monitorId = newId();
    const key = heartbeatKey(stack.heartbeatKeys, monitorId);
    const { hostname, port } = new URL(stack.gateway.url);
    const socket = connect(Number(port), hostname);
    const lines = [`POST /v1/heartbeats/${key}${path} HTTP/1.1`, 'Host: tocsin', 'Connection: close', ...head];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.write(body);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    // What answers `Expect` comes before.
    const status = Number(/^HTTP\/1\.1 ([2-5]\d\d)/m.exec(answer)?.[1]);
    const heartbeat = await until(() => stack.heartbeats.find((one) => one.monitorId === monitorId), {
      what: `the heartbeat, answered with ${answer}`,
    });
    return [status, heartbeat];
  }

  const long = 'line of the log\n'.repeat(130_000);
  const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

  it.each<[string, string[], string | Buffer, string | undefined]>([
    ['2 MB with a length', [`Content-Length: ${long.length}`], long, long.slice(0, 10_000)],
    ['2 MB in chunks', ['Transfer-Encoding: chunked'], chunked(long), long.slice(0, 10_000)],
    [
      '2 MB that wait for 100 Continue',
      ['Expect: 100-continue', `Content-Length: ${long.length}`],
      long,
      long.slice(0, 10_000),
    ],
    ['a type that is none', ['Content-Type: text', 'Content-Length: 2'], 'hi', 'hi'],
    ['an empty type', ['Content-Type: ', 'Content-Length: 2'], 'hi', 'hi'],
    ['odd bytes as type', ['Content-Type: \u00e9/;;=', 'Content-Length: 2'], 'hi', 'hi'],
    ['a type without a body', ['Content-Type: text', 'Content-Length: 0'], '', undefined],
    ['a type and no length', ['Content-Type: a b c'], '', undefined],
    ['several types', ['Content-Type: text/plain', 'Content-Type: application/json', 'Content-Length: 2'], 'hi', 'hi'],
    ['JSON that is none', ['Content-Type: application/json', 'Content-Length: 2'], '{x', '{x'],
    ['a type of our own', ['Content-Type: application/vnd.tocsin.ping', 'Content-Length: 2'], 'hi', 'hi'],
    ['a charset', ['Content-Type: text/plain; charset=latin1', 'Content-Length: 1'], Buffer.from([0xe9]), 'é'],
    ['an unknown charset', ['Content-Type: text/plain; charset="x-none"', 'Content-Length: 2'], 'é', 'é'],
    ['packed bytes', ['Content-Encoding: gzip', 'Content-Length: 2'], Buffer.from([31, 139]), undefined],
    ['an unknown coding', ['Content-Encoding: none-such', 'Content-Length: 2'], 'hi', undefined],
  ])('%s', async (_name, head, body, message) => {
    const [status, heartbeat] = await send(head, body);
    expect(status).toBe(200);
    expect(heartbeat.signal).toBe('fail');
    expect(heartbeat.message).toBe(message);
  });

  it.each(['', '/start', '/0', '/7'])('2 MB at %j', async (path) => {
    const [status] = await send(['Content-Type: text', `Content-Length: ${long.length}`], long, path);
    expect(status).toBe(200);
  });

  it('a client that goes away before it has sent all has reported all the same', async () => {
    const monitorId = newId();
    const { hostname, port } = new URL(stack.gateway.url);
    const socket = connect(Number(port), hostname);
    const path = `/v1/heartbeats/${heartbeatKey(stack.heartbeatKeys, monitorId)}/fail`;
    socket.end(`POST ${path} HTTP/1.1\r\nHost: tocsin\r\nContent-Length: 5000000\r\n\r\n${long}`);
    const heartbeat = await until(() => stack.heartbeats.find((one) => one.monitorId === monitorId), {
      what: 'the heartbeat',
    });
    expect(heartbeat.message).toBe(long.slice(0, 10_000));
  });

  it('a text is cut between characters', async () => {
    const body = Buffer.from('é'.repeat(30_000));
    const [, { message }] = await send([`Content-Length: ${body.length}`], body);
    expect(message).toBe('é'.repeat(10_000));
  });
});
