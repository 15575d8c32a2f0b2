import { createHash } from 'node:crypto';
import { Cache } from '@tocsin/cache';
import { subjects } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { atTheEnd, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunningGateway, startGateway } from './gateway.process.ts';
import { addToken } from './owners.ts';
import { Stack } from './stack.ts';

let stack: Stack;
let gateways: RunningGateway[];

beforeAll(async () => {
  stack = await Stack.start({ TOCSIN_MAX_STREAMS_PER_TOKEN: '2' });
  gateways = [stack.gateway, await startGateway(stack.env)];
});

const ask = async (at: RunningGateway, secret: string, path = '/v1/monitors') => {
  const closing = new AbortController();
  atTheEnd(() => closing.abort());
  return fetch(at.url + path, { headers: { authorization: `Bearer ${secret}` }, signal: closing.signal });
};
const statuses = (secret: string) => Promise.all(gateways.map(async (at) => (await ask(at, secret)).status));
const secretFor = (name: string) => `tsn_${name.padEnd(24, '-')}`;

/** As the owner does in the transaction of the revocation. */
const revoke = (tokenId: string) =>
  stack.owners.monitors.messaging.publish(subjects.tokenEvent(tokenId), { tokenId, at: Date.now() }, { id: newId() });

/** Resolves when a page was ended by the gateway. */
async function ended(page: Response): Promise<boolean> {
  for await (const _ of page.body!);
  return true;
}

it('whoever writes the shared cache gives nobody a role', async () => {
  const secret = secretFor('forged');
  // As small as this, it remembers nothing by itself.
  const cache = new Cache({ url: stack.redis.url, namespace: 'gateway', maxItems: 1 });
  atTheEnd(() => cache.close());
  const o = { ttlMs: 60_000, staleMs: 600_000 };
  const forged = { token: { id: newId(), name: 'forged', role: 'admin' } };
  const key = `token:${createHash('sha256').update(secret).digest('hex')}`;
  const inRedis = async () => {
    let loads = 0;
    await cache.get(key, async () => ((loads += 1), forged), o);
    await cache.get('another', async () => 1, o);
    return loads === 0;
  };
  await until(inRedis, { what: 'the forged answer in Redis', timeoutMs: 10_000 });
  expect(await statuses(secret)).toEqual([401, 401]);
}, 30_000);

describe('a token that is revoked', () => {
  it('stops on every gateway within 2 s, whatever else still says that it is good', async () => {
    const secret = secretFor('revoked');
    const tokenId = addToken(secret);
    expect(await statuses(secret)).toEqual([200, 200]);
    await revoke(tokenId);
    const startedAt = performance.now();
    await until(async () => (await statuses(secret)).every((status) => status === 401), { what: 'refused' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('ends the pages that are open with it, and no others', async () => {
    const [mine, other] = [secretFor('page'), secretFor('other')];
    const tokenId = addToken(mine);
    addToken(other);
    const pages = await Promise.all(gateways.map((at) => ask(at, mine, '/v1/events')));
    const stays = ended(await ask(gateways[0]!, other, '/v1/events'));
    await revoke(tokenId);
    expect(await Promise.all(pages.map(ended))).toEqual([true, true]);
    expect(await Promise.race([stays, new Promise((resolve) => setTimeout(resolve, 300, 'open'))])).toBe('open');
  });
});

describe('a page', () => {
  it('is ended when its token expires', async () => {
    const secret = secretFor('expires');
    addToken(secret, { expiresAt: Date.now() + 1_500 });
    expect(await ended(await ask(gateways[0]!, secret, '/v1/events'))).toBe(true);
  });

  it('is one of so many with a token: the next is refused, and another token is not', async () => {
    const [mine, other] = [secretFor('many'), secretFor('another')];
    addToken(mine);
    addToken(other);
    const open = async (secret: string) => (await ask(gateways[0]!, secret, '/v1/events')).status;
    expect([await open(mine), await open(mine), await open(mine), await open(other)]).toEqual([200, 200, 429, 200]);
  });
});
