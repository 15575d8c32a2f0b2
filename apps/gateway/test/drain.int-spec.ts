import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { newId } from '@tocsin/core';
import { atTheEnd, until } from '@tocsin/testing';
import { freePort } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunningGateway, startGateway } from './gateway.process.ts';
import { tokens } from './owners.ts';
import { anHttpMonitor, Stack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});

interface Sent {
  agent?: Agent;
  method?: string;
  path: string;
  body?: string;
  key?: string;
}

/** One request as a client with connections of its own sends it. */
async function send(url: string, o: Sent): Promise<{ status: number; connection: string | undefined; text: string }> {
  const sent = request(url + o.path, {
    method: o.method ?? 'GET',
    ...(o.agent ? { agent: o.agent } : {}),
    headers: {
      authorization: `Bearer ${tokens.admin}`,
      ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(o.key === undefined ? {} : { 'idempotency-key': o.key }),
    },
  });
  sent.end(o.body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode!, connection: response.headers.connection, text };
}

const exited = (gateway: RunningGateway): Promise<unknown> =>
  gateway.process.exitCode === null ? once(gateway.process, 'exit') : Promise.resolve();

describe('SIGTERM', { timeout: 60_000 }, () => {
  it('is not ready, goes on serving, closes kept connections and streams, finishes what was begun, exits with 0', async () => {
    const gateway = await startGateway({ ...stack.env, TOCSIN_DRAIN_GRACE_MS: '1500' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    atTheEnd(() => agent.destroy());
    expect((await send(gateway.url, { agent, path: '/v1/system' })).connection).not.toBe('close');
    const page = await fetch(`${gateway.url}/v1/events`, { headers: { authorization: `Bearer ${tokens.viewer}` } });
    const pageEnded = page.text();
    stack.delayMs = 4_000;
    const slow = send(gateway.url, { method: 'POST', path: '/v1/monitors', body: JSON.stringify(anHttpMonitor()) });
    const begun = stack.owners.monitors.seen.length;
    await until(() => stack.owners.monitors.seen.length > begun, { what: 'the slow change to begin' });
    stack.delayMs = 0;
    gateway.process.kill('SIGTERM');
    const ready = async () => (await fetch(`${gateway.url}/health/ready`)).status;
    await until(async () => (await ready()) === 503, { what: 'not ready' });
    const still = await send(gateway.url, { agent, path: '/v1/system' });
    expect([still.status, still.connection]).toEqual([200, 'close']);
    // Reconnects elsewhere: the stream ends in order, and says how soon.
    expect(await pageEnded).toMatch(/^retry: 1000\n/);
    expect((await slow).status).toBe(201);
    await exited(gateway);
    expect(gateway.process.exitCode).toBe(0);
  });
});

describe('a rolling restart', { timeout: 90_000 }, () => {
  it('fails no request of a client that uses both gateways, and makes every change once', async () => {
    const env = { ...stack.env, TOCSIN_DRAIN_GRACE_MS: '500' };
    const start = async (port: number) => startGateway({ ...env, TOCSIN_HTTP_PORT: String(port) });
    const ports = [await freePort(), await freePort()];
    let gateways = await Promise.all(ports.map(start));
    const urls = gateways.map(({ url }) => url);
    const agent = new Agent({ keepAlive: true });
    atTheEnd(() => agent.destroy());
    const failed: unknown[] = [];
    const made: string[] = [];
    let turn = 0;
    let changes = 0;
    /** To one gateway, and where that is gone or starting, to the other: as a load balancer does, and any good client. */
    const ask = async (o: Sent): Promise<string | undefined> => {
      const first = (turn += 1);
      for (let attempt = 0; ; attempt += 1) {
        try {
          const { status, text } = await send(urls[(first + attempt) % 2]!, { ...o, agent });
          if (status < 300) return text;
          if (![502, 503, 504].includes(status) || attempt > 0) return void failed.push([status, text]);
        } catch (error) {
          if (attempt > 0) return void failed.push(String(error));
        }
      }
    };
    let over = false;
    const client = async (n: number): Promise<void> => {
      while (!over) {
        if (n % 2 === 0) {
          await ask({ path: '/v1/monitors?limit=1' });
          continue;
        }
        changes += 1;
        const body = JSON.stringify(anHttpMonitor({}, { name: `rolled ${n}` }));
        const text = await ask({ method: 'POST', path: '/v1/monitors', body, key: newId() });
        if (text !== undefined) made.push((JSON.parse(text) as { id: string }).id);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const before = stack.monitors.all.size;
    const clients = Promise.all(Array.from({ length: 6 }, (_, n) => client(n)));
    for (const n of [0, 1]) {
      const leaving = gateways[n]!;
      leaving.process.kill('SIGTERM');
      await exited(leaving);
      expect(leaving.process.exitCode).toBe(0);
      gateways = gateways.with(n, await start(ports[n]!));
    }
    over = true;
    await clients;
    expect(failed).toEqual([]);
    expect(made.length).toBe(changes);
    expect(new Set(made).size).toBe(changes);
    expect(stack.monitors.all.size - before).toBe(changes);
  });
});
