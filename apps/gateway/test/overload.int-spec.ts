import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunningGateway, startGateway } from './gateway.process.ts';
import { tokens } from './owners.ts';
import { anHttpMonitor, Stack } from './stack.ts';

/** Most of what an answer takes, so that the noise of a busy machine says little beside it. */
const OWNER_MS = 200;

interface Answered {
  status: number;
  ms: number;
  retryAfter: string | null;
  stale: string | null;
}

let stack: Stack;
let path: string;

beforeAll(async () => {
  stack = await Stack.start();
  const { body } = await stack.ask('POST', '/v1/monitors', { json: anHttpMonitor() });
  path = `/v1/monitors/${body.id}`;
});

async function get(
  gateway: RunningGateway,
  what: string,
  o: { as?: keyof typeof tokens; waitS?: number } = {},
): Promise<Answered> {
  const startedAt = performance.now();
  const response = await fetch(gateway.url + what, {
    headers: { authorization: `Bearer ${tokens[o.as ?? 'viewer']}`, prefer: `wait=${o.waitS ?? 20}` },
  });
  await response.arrayBuffer();
  const { status, headers } = response;
  const [retryAfter, stale] = [headers.get('retry-after'), headers.get('tocsin-stale')];
  return { status, ms: performance.now() - startedAt, retryAfter, stale };
}

/** So many clients, each asking again as soon as it was answered, until so many requests were sent. */
async function press(gateway: RunningGateway, o: { clients: number; requests: number; pauseMs?: number }) {
  const answers: Answered[] = [];
  let left = o.requests;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      answers.push(await get(gateway, path));
      if (o.pauseMs) await delay(o.pauseMs);
    }
  };
  await Promise.all(Array.from({ length: o.clients }, client));
  return answers;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** A quarter was faster: what the machine does beside this test is in the slower ones. */
const quartile = (answers: Answered[]): number =>
  answers.map(({ ms }) => ms).toSorted((a, b) => a - b)[Math.floor(answers.length / 4)]!;

const ok = (answers: Answered[]) => answers.filter(({ status }) => status === 200);
const rssOf = (gateway: RunningGateway): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(gateway.process.pid)], { encoding: 'utf8' })) / 1_024;

describe('overload', { timeout: 60_000 }, () => {
  it('is refused early with Retry-After; what is accepted is as fast as before, and nothing grows', async () => {
    const gateway = await startGateway({ ...stack.env, TOCSIN_MAX_REQUESTS: '8' });
    await get(gateway, path);
    stack.readMs = OWNER_MS;
    const calm = await press(gateway, { clients: 5, requests: 40 });
    expect(ok(calm)).toHaveLength(40);
    const pressed = { clients: 24, requests: 240, pauseMs: 250 };
    const first = await press(gateway, pressed);
    const grown = rssOf(gateway);
    const second = await press(gateway, pressed);
    stack.readMs = 0;
    for (const answers of [first, second]) {
      const refused = answers.filter(({ status }) => status !== 200);
      expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
      expect(refused.every(({ retryAfter }) => Number(retryAfter) >= 1)).toBe(true);
      expect(refused.length).toBeGreaterThan(ok(answers).length);
      // A queue in place of the bound would make each of 24 wait for the others: four times as long.
      expect(quartile(ok(answers))).toBeLessThan(2.5 * quartile(calm));
    }
    expect(rssOf(gateway) - grown).toBeLessThan(48);
    expect((await get(gateway, path)).status).toBe(200);
  });

  it('of one token is 429 for that token, at its rate, and no other is slower', async () => {
    const [perSecond, burst] = [5, 10];
    const limits = { TOCSIN_RATE_PER_SECOND: String(perSecond), TOCSIN_RATE_BURST: String(burst) };
    const gateway = await startGateway({ ...stack.env, ...limits });
    const calm: number[] = [];
    for (let n = 0; n < 5; n += 1) calm.push((await get(gateway, path, { as: 'editor' })).ms);
    const startedAt = performance.now();
    const pressing = press(gateway, { clients: 8, requests: 200 });
    const others: Answered[] = [];
    for (let n = 0; n < 5; n += 1) others.push(await get(gateway, path, { as: 'editor' }));
    const answers = await pressing;
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(ok(answers).length).toBeLessThanOrEqual(burst + Math.ceil(perSecond * seconds) + 1);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ status, retryAfter }) => status === 429 && Number(retryAfter) >= 1)).toBe(true);
    expect(ok(others)).toHaveLength(5);
    expect(median(others.map(({ ms }) => ms))).toBeLessThan(10 * median(calm) + 50);
  });
});

describe('an owner that is frozen', { timeout: 60_000 }, () => {
  it('takes up no more than its share, is refused early after a while, and is asked again when it is back', async () => {
    const gateway = await startGateway({ ...stack.env, TOCSIN_MAX_REQUESTS: '40' });
    const known = '/v1/incidents?limit=1';
    stack.incidentsAge = { ageMs: 0, stale: false };
    expect(await get(gateway, known)).toMatchObject({ status: 200, stale: null });
    const { promise, resolve: thaw } = Promise.withResolvers<void>();
    stack.statusFrozen = promise;
    try {
      let refused = 0;
      const asked = Array.from({ length: 60 }, async () => {
        const answer = await get(gateway, '/v1/incidents');
        if (answer.status === 503) refused += 1;
        return answer;
      });
      const all = Promise.allSettled(asked);
      await until(() => refused === 30, { what: 'those past its share to be refused', timeoutMs: 6_000 });
      const meanwhile = await Promise.all(Array.from({ length: 10 }, () => get(gateway, path)));
      expect(meanwhile.map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect(Math.max(...meanwhile.map(({ ms }) => ms))).toBeLessThan(4_000);
      expect((await all).length).toBe(60);
      const answers = await Promise.all(asked);
      expect(answers.every(({ status, retryAfter }) => [503, 504].includes(status) && Number(retryAfter) >= 1)).toBe(
        true,
      );
      // Those that had a place waited until nobody could be expected to answer.
      expect(answers.filter(({ status }) => status === 504)).toHaveLength(30);
      // Its breaker is open by now: one finds out whether it is back, and nobody else waits.
      const later = await until(
        async () => {
          const ten = await Promise.all(Array.from({ length: 10 }, () => get(gateway, '/v1/incidents')));
          return ten.some(({ status }) => status === 504) && ten;
        },
        { what: 'one of ten that finds out' },
      );
      const refusedAtOnce = later.filter(({ status }) => status === 503);
      expect(refusedAtOnce.length).toBeGreaterThanOrEqual(8);
      expect(Math.max(...refusedAtOnce.map(({ ms }) => ms))).toBeLessThan(1_000);
      expect((await get(gateway, path)).status).toBe(200);
      // What it answered before is answered again, and marked.
      expect(await get(gateway, known)).toMatchObject({ status: 200, stale: 'true' });
    } finally {
      stack.statusFrozen = undefined;
      thaw();
    }
    await until(async () => (await get(gateway, '/v1/incidents')).status === 200, { what: 'incidents again' });
    expect(await get(gateway, known)).toMatchObject({ status: 200, stale: null });
  });
});
