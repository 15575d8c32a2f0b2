import { Cache } from '@tocsin/cache';
import { cacheRulesOf, cacheUsers } from '@tocsin/contracts';
import { atTheEnd, redisServer, until } from '@tocsin/testing';
import { redisUrlOf } from '@tocsin/testing/servers';
import { expect, it } from 'vitest';

const users = cacheUsers.map((name) => ({ name, password: name, rules: cacheRulesOf(name) }));
const o = { ttlMs: 60_000, staleMs: 60_000, tags: ['t'] };

it('a cache works with the rights of its service, and one of another name does not', async () => {
  const server = await redisServer({ password: 'operator', users });
  const open = (namespace: string) => {
    // As small as this, it remembers nothing by itself.
    const cache = new Cache({ url: redisUrlOf(server, users[0]!), namespace, maxItems: 1 });
    atTheEnd(() => cache.close());
    const shared = async () => {
      let loads = 0;
      await cache.get('a', async () => (loads += 1), o);
      await cache.get('b', async () => 1, o);
      return loads === 0;
    };
    return { cache, shared };
  };
  const own = open('gateway');
  await until(own.shared, { what: 'kept in Redis', timeoutMs: 10_000 });
  await own.cache.invalidateTags(['t']);
  expect(await own.shared()).toBe(false);
  await until(own.shared, { what: 'kept again' });
  expect(await own.cache.ping()).toMatchObject({ role: 'primary' });
  const foreign = open('monitors');
  for (let n = 0; n < 3; n += 1) expect(await foreign.shared()).toBe(false);
}, 30_000);
