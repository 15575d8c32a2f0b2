import { commands, subjects } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunningGateway, startGateway } from './gateway.process.ts';
import { tokens } from './owners.ts';
import { Stack } from './stack.ts';

let stack: Stack;
let other: RunningGateway;

beforeAll(async () => {
  stack = await Stack.start();
  other = await startGateway(stack.env);
});

/** A heartbeat that nobody can read, and so a dead letter. */
async function aDeadLetter(): Promise<number> {
  const before = new Set(await letters());
  const { messaging } = stack.owners.incidents;
  await messaging.publish(subjects.heartbeat(newId()), { not: 'a heartbeat' }, { id: newId() });
  return until(async () => (await letters()).find((id) => !before.has(id)), { what: 'a dead letter' });
}

const letters = async (): Promise<number[]> =>
  (await stack.ask('GET', '/v1/dead-letters')).body.items.map(({ id }: { id: number }) => id);

async function at(url: string, method: string, path: string, key?: string): Promise<{ status: number; code?: string }> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${tokens.admin}`, ...(key === undefined ? {} : { 'idempotency-key': key }) },
  });
  const text = await response.text();
  const { code } = (text === '' ? {} : JSON.parse(text)) as { code?: string };
  return { status: response.status, ...(code === undefined ? {} : { code }) };
}

describe('an Idempotency-Key on a dead letter', () => {
  it.each([
    // It fails again, once: it was driven once.
    { what: 'redriven', method: 'POST', rest: '/redrive', born: 1 },
    { what: 'discarded', method: 'DELETE', rest: '', born: 0 },
  ])('makes it $what once, answered alike at both gateways', async ({ method, rest, born }) => {
    const id = await aDeadLetter();
    const path = `/v1/dead-letters/${id}${rest}`;
    const key = newId();
    const [first, second] = await Promise.all([
      at(stack.gateway.url, method, path, key),
      at(other.url, method, path, key),
    ]);
    expect([first.status, second.status]).toEqual([204, 204]);
    expect((await at(other.url, method, path, key)).status).toBe(204);
    const youngest = await aDeadLetter();
    const now = await until(async () => {
      const found = await letters();
      return found.filter((one) => one > id).length > born && found;
    });
    expect(now).not.toContain(id);
    expect(now.filter((one) => one > id && one !== youngest)).toHaveLength(born);
  });

  it('is refused for another request', async () => {
    const [one, two] = [await aDeadLetter(), await aDeadLetter()];
    const key = newId();
    expect((await at(stack.gateway.url, 'DELETE', `/v1/dead-letters/${one}`, key)).status).toBe(204);
    const reuse = () => at(other.url, 'DELETE', `/v1/dead-letters/${two}`, key);
    const redrive = () => at(stack.gateway.url, 'POST', `/v1/dead-letters/${one}/redrive`, key);
    const replies = [await reuse(), await reuse(), await redrive(), ...(await Promise.all([reuse(), redrive()]))];
    expect(replies).toEqual(replies.map(() => ({ status: 422, code: 'key_reused' })));
    expect(await letters()).toContain(two);
  });

  it('is refused for another request after the first was refused too', async () => {
    const [id, key] = [await aDeadLetter(), newId()];
    expect((await at(stack.gateway.url, 'DELETE', '/v1/dead-letters/4712', key)).status).toBe(404);
    const discard = () => at(other.url, 'DELETE', `/v1/dead-letters/${id}`, key);
    expect([(await discard()).status, (await discard()).status]).toEqual([422, 422]);
    expect(await letters()).toContain(id);
  });

  it('of what is not there is 404, each time; and without a key the second time there is none', async () => {
    const key = newId();
    for (let n = 0; n < 2; n += 1) {
      expect(await at(stack.gateway.url, 'DELETE', '/v1/dead-letters/4711', key)).toMatchObject({ status: 404 });
    }
    const id = await aDeadLetter();
    expect((await at(stack.gateway.url, 'DELETE', `/v1/dead-letters/${id}`)).status).toBe(204);
    expect((await at(stack.gateway.url, 'DELETE', `/v1/dead-letters/${id}`)).status).toBe(404);
  });
});

describe('dead letters of a broker that is frozen', () => {
  const timed = async (method: string, path: string) => {
    const startedAt = performance.now();
    const { status, body, headers } = await stack.ask(method, path, { headers: { prefer: 'wait=1' } });
    return { status, code: body.code, retryAfter: headers.get('retry-after'), ms: performance.now() - startedAt };
  };

  it('are 504 when the caller stops waiting, and changes of them 503: never a defect', async () => {
    const id = await aDeadLetter();
    await stack.nats.kill('SIGSTOP');
    try {
      const reads = await Promise.all([timed('GET', '/v1/dead-letters'), timed('GET', `/v1/dead-letters/${id}`)]);
      expect(reads).toMatchObject([0, 1].map(() => ({ status: 504, code: 'deadline', retryAfter: '1' })));
      expect(Math.max(...reads.map(({ ms }) => ms))).toBeLessThan(3_000);
      const changed = await timed('DELETE', `/v1/dead-letters/${id}`);
      expect(changed).toMatchObject({ status: 503, code: 'unavailable', retryAfter: '1' });
    } finally {
      await stack.nats.kill('SIGCONT');
    }
    await until(async () => (await letters()).includes(id), { what: 'the letter, still there' });
  });
});

describe('the same change at two gateways at once', () => {
  it('is carried out once, and both are told of it', async () => {
    const body = JSON.stringify({ kind: 'http', name: 'twice', settings: { url: 'https://twice.example/' } });
    const headers = {
      authorization: `Bearer ${tokens.admin}`,
      'content-type': 'application/json',
      'idempotency-key': newId(),
    };
    const create = async (url: string): Promise<{ status: number; id: string }> => {
      const response = await fetch(`${url}/v1/monitors`, { method: 'POST', headers, body });
      return { status: response.status, id: ((await response.json()) as { id: string }).id };
    };
    stack.delayMs = 100;
    const answers = await Promise.all([stack.gateway.url, other.url, stack.gateway.url, other.url].map(create));
    stack.delayMs = 0;
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    const { operationId } = stack.owners.monitors.last(commands.monitorsCreate.name).ctx;
    expect(stack.owners.monitors.seen.filter(({ ctx }) => ctx.operationId === operationId)).toHaveLength(1);
  });
});
