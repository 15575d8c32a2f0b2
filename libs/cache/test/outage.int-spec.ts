import { Cache } from '../src/index.ts';
import { redisServer, until } from '@tocsin/testing';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aCache, isUp, linkOf, sameEra, Source } from './harness.ts';

const LONG = { ttlMs: 60_000, staleMs: 60_000 };
type Server = Awaited<ReturnType<typeof redisServer>>;
let server: Server;
let a: Cache;
let b: Cache;
let k: string;

beforeAll(async () => {
  // It keeps its data over a restart: the harder case, in which old values come back with it.
  server = await redisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  a = await aCache(server.url);
  b = await aCache(server.url);
});

beforeEach(async () => {
  await Promise.all([isUp(a), isUp(b)]);
  await sameEra(a, b);
  k = `key ${Math.random()}`;
});

/** Longest of many reads, in ms. */
async function slowest(cache: Cache, times: number): Promise<number> {
  let longest = 0;
  for (let i = 0; i < times; i += 1) {
    const startedAt = performance.now();
    await cache.get(`${k} ${i}`, async () => i, LONG);
    longest = Math.max(longest, performance.now() - startedAt);
  }
  return longest;
}

describe.each(['stopped', 'killed', 'frozen'])('while Redis is %s', (how) => {
  const away = async (): Promise<void> => {
    if (how === 'stopped') await server.stop();
    else await server.kill(how === 'killed' ? 'SIGKILL' : 'SIGSTOP');
  };
  const back = async (): Promise<void> => {
    if (how === 'frozen') await server.kill('SIGCONT');
    else await server.start();
  };

  it('every read is answered by the loader, and none waits longer than one command may take', async () => {
    await away();
    try {
      expect(await slowest(a, 1)).toBeLessThan(600);
      expect(await slowest(a, 200)).toBeLessThan(how === 'frozen' ? 250 : 100);
    } finally {
      await back();
    }
  });

  it('an invalidation does not throw or wait, and holds for this instance at once', async () => {
    const source = new Source('before');
    await a.get(k, source.load, LONG);
    await away();
    try {
      source.value = 'after';
      const startedAt = performance.now();
      await a.invalidate([k]);
      expect(performance.now() - startedAt).toBeLessThan(600);
      expect((await a.get(k, source.load, LONG)).value).toBe('after');
    } finally {
      await back();
    }
  });

  it('memory is not believed, since an invalidation elsewhere could not be heard', async () => {
    const source = new Source('before');
    await b.get(k, source.load, LONG);
    await away();
    try {
      source.value = 'after';
      await a.invalidate([k]);
      const heard = () => b.get(k, source.load, LONG).then(({ value }) => value === 'after' && value);
      expect(await until(heard, { timeoutMs: 2_500 })).toBe('after');
    } finally {
      await back();
    }
  });

  it('an older value is still served, marked stale, if the loader fails too', async () => {
    const source = new Source('kept');
    await a.get(k, source.load, LONG);
    await away();
    try {
      source.failure = new Error('the database is away as well');
      const failures: unknown[] = [];
      const read = () =>
        a.get(k, source.load, LONG).catch((error: unknown) => (failures.push(error), { stale: false }));
      await until(async () => (await read()).stale, { timeoutMs: 2_500 });
      expect(failures).toEqual([]);
      expect(await a.get(k, source.load, LONG)).toMatchObject({ value: 'kept', stale: true });
    } finally {
      await back();
    }
  });

  it('what was invalidated meanwhile does not come back with it', async () => {
    const source = new Source('before');
    await a.get(k, source.load, LONG);
    await b.get(k, source.load, LONG);
    await away();
    source.value = 'after';
    await a.invalidate([k]);
    await back();
    await Promise.all([isUp(a), isUp(b)]);
    expect((await b.get(k, source.load, LONG)).value).toBe('after');
    expect((await a.get(k, source.load, LONG)).value).toBe('after');
  });

  it('what was invalidated by an instance that died meanwhile does not come back either', async () => {
    const source = new Source('before');
    const mortal = await aCache(server.url);
    await sameEra(a, b, mortal);
    await a.get(k, source.load, LONG);
    await away();
    // The others notice the outage by themselves.
    await until(() => linkOf(a).era === undefined);
    source.value = 'after';
    await mortal.invalidate([k]);
    await mortal.close();
    await back();
    await isUp(a);
    expect((await a.get(k, source.load, LONG)).value).toBe('after');
  });
});

it('is cached again after Redis is back, and nothing is queued up meanwhile', async () => {
  await server.stop();
  await slowest(a, 2_000);
  expect(linkOf(a).commands.offlineQueue.length).toBe(0);
  await server.start();
  await Promise.all([isUp(a), isUp(b)]);
  await sameEra(a, b);
  const source = new Source('cached');
  await a.get(k, source.load, LONG);
  await a.get(k, source.load, LONG);
  expect(source.loads).toBe(1);
});

it('starts while Redis is away, and uses it once it is there', async () => {
  await server.stop();
  const early = new Cache({ url: server.url, namespace: 'early' });
  expect((await early.get('k', async () => 1, LONG)).value).toBe(1);
  await expect(early.ping()).rejects.toMatchObject({ code: 'unavailable', retry: true });
  await server.start();
  await isUp(early);
  await early.close();
});

it('an era lost by eviction ends in a new one, not in values that nobody can invalidate', async () => {
  const source = new Source('before');
  await a.get(k, source.load, LONG);
  await b.get(k, source.load, LONG);
  await linkOf(a).commands.del('tocsin:test:era');
  source.value = 'after';
  await a.invalidate([k]);
  await until(async () => (await b.get(k, source.load, LONG)).value === 'after', { timeoutMs: 2_000 });
  await isUp(a);
  expect((await a.get(k, source.load, LONG)).value).toBe('after');
});
