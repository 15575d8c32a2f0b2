import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunningGateway, startGateway } from './gateway.process.ts';
import { tokens } from './owners.ts';
import { Stack } from './stack.ts';

const BURST = 20;
let gateway: RunningGateway;

beforeAll(async () => {
  const stack = await Stack.start();
  gateway = await startGateway({
    ...stack.env,
    TOCSIN_OPEN_RATE_PER_SECOND: '1',
    TOCSIN_OPEN_RATE_BURST: String(BURST),
    TOCSIN_UNKNOWN_RATE_PER_SECOND: '1',
    TOCSIN_UNKNOWN_RATE_BURST: String(BURST),
    TOCSIN_TRUSTED_PROXIES: '127.0.0.0/8, ::1',
  });
});

async function ask(from: string, path: string, token?: string): Promise<{ status: number; retryAfter: string | null }> {
  const headers = { 'x-forwarded-for': from, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const response = await fetch(gateway.url + path, { headers });
  await response.arrayBuffer();
  return { status: response.status, retryAfter: response.headers.get('retry-after') };
}

const unknown = (n: number) => `tsn_unknown-unknown-unknown-${n}`;

describe('an address', () => {
  it('that sends tokens that are not known is told to wait; a token that was good here is let through', async () => {
    const from = '203.0.113.1';
    expect((await ask(from, '/v1/monitors', tokens.viewer)).status).toBe(200);
    for (let n = 0; n < BURST; n += 1) expect((await ask(from, '/v1/monitors', unknown(n))).status).toBe(401);
    const refused = await until(async () => {
      const answer = await ask(from, '/v1/monitors', unknown(BURST));
      return answer.status === 429 && answer;
    });
    expect(Number(refused.retryAfter)).toBeGreaterThanOrEqual(1);
    expect((await ask(from, '/v1/monitors', tokens.viewer)).status).toBe(200);
    expect((await ask('203.0.113.2', '/v1/monitors', unknown(0))).status).toBe(401);
  });

  it.each(['/docs', '/', '/v1/openapi.json', '/v1/heartbeats/no-key'])(
    'shares a bucket with its /64: %s',
    async (path) => {
      const network = `2001:db8:${path.length}`;
      const statuses: number[] = [];
      for (let n = 0; n < 2 * BURST; n += 1) statuses.push((await ask(`${network}:0::${n}`, path)).status);
      expect(statuses.slice(0, BURST)).not.toContain(429);
      expect(statuses.slice(BURST)).toContain(429);
      expect((await ask(`${network}:1::1`, path)).status).not.toBe(429);
    },
  );

  it('cannot be made up: what stands left of what a proxy says is not believed', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 2 * BURST; n += 1) statuses.push((await ask(`10.9.8.${n}, 203.0.113.9`, '/docs')).status);
    expect(statuses).toContain(429);
  });
});
