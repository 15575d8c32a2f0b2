import { Logger } from '@nestjs/common';
import type { Clock } from '@tocsin/core';
import { atTheEnd, redisServer, until } from '@tocsin/testing';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Cache } from '../src/index.ts';
import { aCache, gate, isUp, linkOf, sameEra, settled, Source } from './harness.ts';

const LONG = { ttlMs: 60_000, staleMs: 60_000 };
let url: string;
let a: Cache;
let b: Cache;
let n = 0;
const key = (): string => `key ${(n += 1)}`;

beforeAll(async () => {
  ({ url } = await redisServer());
  a = await aCache(url);
  b = await aCache(url);
  await sameEra(a, b);
});

describe('a start', () => {
  it('calls it no outage that its connections are made late, since the process was busy for seconds', async () => {
    const warned = vi.spyOn(Logger.prototype, 'warn');
    let busyMs = 0;
    const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() + busyMs };
    const cache = new Cache({ url, namespace: 'start', clock });
    atTheEnd(() => cache.close());
    busyMs = 10_000;
    // Longer than the first turn of the link waits: its timer comes before its sockets.
    for (const until = performance.now() + 400; performance.now() < until;);
    await isUp(cache);
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  it('says so when there is no Redis', async () => {
    const warned = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const cache = new Cache({ url: 'redis://127.0.0.1:1', namespace: 'start' });
    atTheEnd(() => cache.close());
    await until(() => warned.mock.calls.length > 0, { what: 'told' });
    expect(String(warned.mock.calls[0]?.[0])).toMatch(/^Redis is away/);
    warned.mockRestore();
  });
});

describe('reading', () => {
  it('loads once, then answers from memory', async () => {
    const source = new Source('one');
    const k = key();
    expect(await a.get(k, source.load, LONG)).toEqual({
      value: 'one',
      ageMs: expect.any(Number),
      stale: false,
      outdated: false,
    });
    expect((await a.get(k, source.load, LONG)).value).toBe('one');
    expect(source.loads).toBe(1);
  });

  it('shares what one instance loaded with the others', async () => {
    const source = new Source('shared');
    const k = key();
    await a.get(k, source.load, LONG);
    await until(async () => {
      const before = source.loads;
      await b.get(k, source.load, LONG);
      return source.loads === before;
    });
    expect(source.loads).toBe(1);
  });

  it('runs one load however many ask at the same time', async () => {
    const source = new Source('flight');
    const k = key();
    const answers = await Promise.all(Array.from({ length: 50 }, () => a.get(k, source.load, LONG)));
    expect(answers.every(({ value }) => value === 'flight')).toBe(true);
    expect(source.loads).toBe(1);
  });

  it('spreads the time to live by ten percent, so that nothing expires together', async () => {
    const source = new Source('spread');
    const keys = Array.from({ length: 200 }, key);
    await Promise.all(keys.map((k) => a.get(k, source.load, { ttlMs: 1_000, staleMs: 60_000 })));
    const startedAt = Date.now();
    const expiredAt: number[] = [];
    const waiting = new Set(keys);
    await until(
      async () => {
        for (const k of waiting) {
          const { stale, ageMs } = await a.get(k, () => new Promise(() => undefined), {
            ttlMs: 1_000,
            staleMs: 60_000,
          });
          if (stale && waiting.delete(k)) expiredAt.push(ageMs);
        }
        return waiting.size === 0;
      },
      { everyMs: 5 },
    );
    expect(Date.now() - startedAt).toBeLessThan(1_500);
    expect(Math.min(...expiredAt)).toBeGreaterThanOrEqual(890);
    expect(Math.min(...expiredAt)).toBeLessThan(960);
    expect(Math.max(...expiredAt)).toBeGreaterThan(1_040);
  });

  it('keeps at most maxItems in memory', async () => {
    const small = await aCache(url, { maxItems: 10, namespace: 'small' });
    for (let i = 0; i < 100; i += 1) await small.get(`k${i}`, async () => i, LONG);
    expect(Reflect.get(small, 'memory')).toHaveProperty('count', 10);
  });

  it('answers what JSON holds in the same shape from each tier, and frozen', async () => {
    const k = key();
    const load = async () => ({ at: new Date(0), list: [1] }) as unknown as { at: string; list: number[] };
    const loaded = (await a.get(k, load, LONG)).value;
    expect(loaded).toEqual({ at: '1970-01-01T00:00:00.000Z', list: [1] });
    expect(() => loaded.list.push(2)).toThrow(TypeError);
  });

  it('returns undefined without keeping it', async () => {
    const k = key();
    expect((await a.get(k, async () => undefined, LONG)).value).toBeUndefined();
    expect((await a.get(k, async () => 'now', LONG)).value).toBe('now');
  });
});

describe('a stale value', () => {
  const SHORT = { ttlMs: 20, staleMs: 60_000, timeoutMs: 5_000 };

  it('is served at once while it is reloaded', async () => {
    const source = new Source('old');
    const k = key();
    await a.get(k, source.load, SHORT);
    source.value = 'new';
    const slow = gate();
    const load = async (): Promise<string> => (await slow.wait, source.load());
    await until(async () => (await a.get(k, load, SHORT)).stale);
    expect((await a.get(k, load, SHORT)).value).toBe('old');
    expect(source.loads).toBe(1);
    slow.open();
    await until(async () => (await a.get(k, load, SHORT)).value === 'new');
  });

  it('is served while the loader fails, which is asked once a second and not at each read', async () => {
    const source = new Source('good');
    const k = key();
    await a.get(k, source.load, SHORT);
    source.failure = new Error('the database is away');
    await until(async () => (await a.get(k, source.load, SHORT)).stale && source.loads === 2);
    for (let i = 0; i < 50; i += 1) {
      expect(await a.get(k, source.load, SHORT)).toMatchObject({ value: 'good', stale: true });
      await a.ping();
    }
    expect(source.loads).toBe(2);
  });

  it('is served to who joins a reload that fails after Redis went away', async () => {
    const [source, k] = [new Source('kept'), key()];
    const lonely = await aCache(url, { namespace: 'lonely' });
    await lonely.get(k, source.load, SHORT);
    const slow = gate();
    const failing = async (): Promise<string> => {
      await slow.wait;
      throw new Error('the database is away');
    };
    await until(async () => (await lonely.get(k, failing, SHORT)).stale);
    linkOf(lonely).fall('the test says so');
    const joined = lonely.get(k, failing, SHORT);
    slow.open();
    expect(await joined).toMatchObject({ value: 'kept', stale: true });
  });

  it('is not served past its bound: then the loader’s own failure is thrown', async () => {
    const source = new Source('gone');
    const k = key();
    await a.get(k, source.load, { ttlMs: 10, staleMs: 10 });
    source.failure = new Error('the database is away');
    const thrown = await until(() =>
      a.get(k, source.load, { ttlMs: 10, staleMs: 10 }).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(thrown).toBe(source.failure);
  });

  it('does not make anybody wait for a loader that hangs, and a first load is bounded', async () => {
    const k = key();
    const hang = (): Promise<string> => new Promise(() => undefined);
    const startedAt = performance.now();
    await expect(a.get(k, hang, { ...LONG, timeoutMs: 60 })).rejects.toMatchObject({ code: 'deadline', retry: true });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    const source = new Source('fine');
    expect((await a.get(k, source.load, LONG)).value).toBe('fine');
  });
});

describe('a value older than its grace', () => {
  const OPTIONS = { ttlMs: 1_000, staleMs: 3_600_000, graceMs: 5_000, timeoutMs: 5_000 };
  let shiftMs: number;
  const clock = { now: () => Date.now() + shiftMs, monotonic: () => performance.now() };
  let one: Cache;
  let other: Cache;

  beforeEach(async () => {
    shiftMs = 0;
    const namespace = `grace ${key()}`;
    one = await aCache(url, { namespace, clock });
    other = await aCache(url, { namespace, clock });
    await settled(one, other);
  });

  /** A value that both tiers have held for so long. */
  async function aged(source: Source, ms: number): Promise<string> {
    const k = key();
    await one.get(k, source.load, OPTIONS);
    await one.ping();
    shiftMs = ms;
    return k;
  }

  it.each(['memory', 'redis'])('is not given from %s while a new one is to be had', async (tier) => {
    const source = new Source('old');
    const k = await aged(source, 3_000_000);
    source.value = 'new';
    const answer = await (tier === 'memory' ? one : other).get(k, source.load, OPTIONS);
    expect(answer).toMatchObject({ value: 'new', stale: false, outdated: false });
    expect(source.loads).toBe(2);
  });

  it.each(['memory', 'redis'])('is given from %s if the load fails, and at once after that', async (tier) => {
    const source = new Source('old');
    const k = await aged(source, 3_000_000);
    source.failure = new Error('the database is away');
    const cache = tier === 'memory' ? one : other;
    const get = () => cache.get(k, source.load, OPTIONS);
    expect(await get()).toMatchObject({ value: 'old', stale: true, outdated: true });
    const reads = vi.spyOn(Reflect.get(cache, 'shared') as { read: () => unknown }, 'read');
    for (let i = 0; i < 20; i += 1) expect(await get()).toMatchObject({ value: 'old', stale: true });
    expect(reads).not.toHaveBeenCalled();
    expect(source.loads).toBe(2);
  });

  it.each(['memory', 'redis'])('before that it is given at once from %s while it is reloaded', async (tier) => {
    const source = new Source('old');
    const k = await aged(source, 4_000);
    const hang = (): Promise<string> => new Promise(() => undefined);
    const given = await (tier === 'memory' ? one : other).get(k, hang, OPTIONS);
    expect(given).toMatchObject({ value: 'old', stale: true, outdated: false });
  });
});

describe('invalidation', () => {
  it('reaches the other instances', async () => {
    const source = new Source('before');
    const k = key();
    await a.get(k, source.load, LONG);
    await b.get(k, source.load, LONG);
    source.value = 'after';
    await a.invalidate([k]);
    expect((await a.get(k, source.load, LONG)).value).toBe('after');
    await until(async () => (await b.get(k, source.load, LONG)).value === 'after', { timeoutMs: 1_000 });
  });

  it('by tag reaches everything that was loaded with it, and nothing else', async () => {
    const tagged = new Source('before');
    const other = new Source('before');
    const [k, o] = [key(), key()];
    const options = { ...LONG, tags: ['monitor 1', 'page'] };
    for (const cache of [a, b]) {
      await cache.get(k, tagged.load, options);
      await cache.get(o, other.load, { ...LONG, tags: ['monitor 2'] });
    }
    tagged.value = other.value = 'after';
    await b.invalidateTags(['monitor 1']);
    expect((await b.get(k, tagged.load, options)).value).toBe('after');
    expect((await b.get(o, other.load, { ...LONG, tags: ['monitor 2'] })).value).toBe('before');
    await until(async () => (await a.get(k, tagged.load, options)).value === 'after', { timeoutMs: 1_000 });
  });

  it.each(['key', 'tag'])('by %s wins over a load that began before it and ends after it', async (by) => {
    const k = key();
    const [begun, slow] = [gate(), gate()];
    const options = { ...LONG, tags: [`tag of ${k}`] };
    const late = a.get(k, async () => (begun.open(), await slow.wait, 'before'), options);
    await begun.wait;
    await (by === 'key' ? b.invalidate([k]) : b.invalidateTags(options.tags));
    await until(() => !(Reflect.get(a, 'flights').has(k) as boolean), { timeoutMs: 1_000 });
    slow.open();
    await late;
    await a.ping();
    expect((await b.get(k, async () => 'after', options)).value).toBe('after');
    expect((await a.get(k, async () => 'after', options)).value).toBe('after');
  });

  it.each(['key', 'tag'])('by %s wins in Redis too over a load of an instance that has not heard of it', async (by) => {
    const k = key();
    const options = { ...LONG, tags: [`tag of ${k}`] };
    const deaf = await aCache(url);
    await sameEra(a, b, deaf);
    const [begun, slow] = [gate(), gate()];
    const late = deaf.get(k, async () => (begun.open(), await slow.wait, 'before'), options);
    await begun.wait;
    // The message is lost on its way; only what Redis remembers protects the others.
    linkOf(deaf).options.onNews = () => undefined;
    await (by === 'key' ? b.invalidate([k]) : b.invalidateTags(options.tags));
    slow.open();
    await late;
    await deaf.ping();
    expect((await b.get(k, async () => 'after', options)).value).toBe('after');
  });

  it('by tag holds for what Redis has kept, and for an instance that starts later', async () => {
    const k = key();
    const options = { ...LONG, tags: [`tag of ${k}`] };
    await a.get(k, async () => 'before', options);
    await a.ping();
    await a.invalidateTags(options.tags);
    expect((await b.get(k, async () => 'after', options)).value).toBe('after');
  });
});
