import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { atTheEnd, redisServer, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { aCache, gate, isUp, settled, Source } from './harness.ts';

type Server = Awaited<ReturnType<typeof redisServer>>;
type Said = { ready?: true; loading?: string; answered?: string; ms?: number };

const LONG = { ttlMs: 60_000, staleMs: 60_000 };
let server: Server;
let n = 0;
const key = (): string => `key ${(n += 1)}`;

beforeAll(async () => {
  server = await redisServer();
});

/** A cache in a process of its own. */
class Instance {
  readonly said: Said[] = [];
  private constructor(readonly child: ChildProcess) {
    child.on('message', (message: Said) => this.said.push(message));
  }

  static async start(mode: 'loads' | 'hangs'): Promise<Instance> {
    const child = fork(join(import.meta.dirname, 'loader.process.ts'), [server.url, mode], {
      execArgv: ['--import', '@oxc-node/core/register'],
    });
    atTheEnd(() => void child.kill('SIGKILL'));
    const instance = new Instance(child);
    await until(() => instance.said.some(({ ready }) => ready), { what: 'a cache', timeoutMs: 30_000 });
    return instance;
  }

  read(name: string): void {
    this.child.send({ read: name });
  }

  get loads(): string[] {
    return this.said.flatMap(({ loading }) => (loading === undefined || loading === 'probe' ? [] : [loading]));
  }

  get answers(): Said[] {
    return this.said.filter(({ answered }) => answered !== undefined);
  }
}

describe('many instances', () => {
  it('that miss a key at the same time load it once', async () => {
    const caches = await Promise.all(Array.from({ length: 4 }, () => aCache(server.url)));
    await settled(...caches);
    for (let round = 0; round < 10; round += 1) {
      const k = key();
      let loads = 0;
      const load = async (): Promise<number> => {
        loads += 1;
        await new Promise((resolve) => setTimeout(resolve, 30));
        return loads;
      };
      const answers = await Promise.all(caches.flatMap((cache) => [1, 2, 3].map(() => cache.get(k, load, LONG))));
      expect(answers.map(({ value }) => value)).toEqual(Array(12).fill(1));
      expect(loads).toBe(1);
    }
  });

  it('reload what is stale once', async () => {
    const caches = await Promise.all(Array.from({ length: 3 }, () => aCache(server.url)));
    await settled(...caches);
    const [k, source] = [key(), new Source('old')];
    const options = { ttlMs: 150, staleMs: 60_000 };
    await caches[0]!.get(k, source.load, options);
    for (const cache of caches) await cache.get(k, source.load, options);
    await new Promise((resolve) => setTimeout(resolve, 200));
    source.value = 'new';
    const slow = gate();
    const load = async (): Promise<string> => {
      const value = await source.load();
      await slow.wait;
      return value;
    };
    // Long enough for every instance to have taken the turn, were it not taken.
    const reading = Date.now() + 150;
    while (Date.now() < reading) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      for (const cache of caches) expect((await cache.get(k, load, LONG)).value).toBe('old');
    }
    expect(source.loads).toBe(2);
    slow.open();
    await until(async () => {
      const values = await Promise.all(caches.map((cache) => cache.get(k, load, LONG)));
      return values.every(({ value }) => value === 'new');
    });
  });

  it('do not wait for a load that began before an invalidation', async () => {
    const [a, b] = [await aCache(server.url), await aCache(server.url)];
    await settled(a, b);
    const [k, begun, slow] = [key(), gate(), gate()];
    const old = a.get(k, async () => (begun.open(), await slow.wait, 'before'), LONG);
    await begun.wait;
    await b.invalidate([k]);
    const startedAt = performance.now();
    expect((await b.get(k, async () => 'after', LONG)).value).toBe('after');
    expect(performance.now() - startedAt).toBeLessThan(200);
    slow.open();
    await old;
  });

  it('do not wait longer than a turn for one whose load fails, and load for themselves', async () => {
    const [a, b] = [await aCache(server.url), await aCache(server.url)];
    await settled(a, b);
    const [k, begun, slow] = [key(), gate(), gate()];
    const fail = async (): Promise<string> => {
      begun.open();
      await slow.wait;
      throw new Error('no');
    };
    const failing = a.get(k, fail, LONG).catch(() => 'failed');
    await begun.wait;
    const other = b.get(k, async () => 'fine', LONG);
    slow.open();
    expect((await other).value).toBe('fine');
    expect(await failing).toBe('failed');
  });

  it('fall on the database with one load for each key when Redis is back', async () => {
    const caches = await Promise.all(Array.from({ length: 3 }, () => aCache(server.url)));
    await settled(...caches);
    const keys = Array.from({ length: 20 }, key);
    const source = new Source('x');
    for (const k of keys) await Promise.all(caches.map((cache) => cache.get(k, source.load, LONG)));
    await server.kill('SIGKILL');
    await server.start();
    await Promise.all(caches.map(isUp));
    await settled(...caches);
    const loads = new Map<string, number>();
    const read = (k: string) => async (): Promise<string> => {
      loads.set(k, (loads.get(k) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 'again';
    };
    await Promise.all(keys.flatMap((k) => caches.map((cache) => cache.get(k, read(k), LONG))));
    expect([...loads.values()]).toEqual(keys.map(() => 1));
  });
});

describe('processes', { timeout: 90_000 }, () => {
  it('load a key once among them; when the one that loads is killed, one other does within a second', async () => {
    const [dying, ...others] = await Promise.all([
      Instance.start('hangs'),
      ...Array.from({ length: 3 }, () => Instance.start('loads')),
    ]);
    const together = key();
    await until(async () => {
      // Each start of an instance begins a new era: read until all have settled in the last one.
      const name = `${together} ${Math.random()}`;
      for (const other of others) other.read(name);
      await until(() => others.every(({ answers }) => answers.some(({ answered }) => answered === name)));
      return others.flatMap(({ loads }) => loads).filter((loaded) => loaded === name).length === 1;
    });
    const k = key();
    dying!.read(k);
    await until(() => dying!.loads.includes(k), { what: 'the load to begin' });
    for (const other of others) other.read(k);
    dying!.child.kill('SIGKILL');
    await until(() => others.every(({ answers }) => answers.some(({ answered }) => answered === k)), {
      what: 'answers',
    });
    expect(others.flatMap(({ loads }) => loads).filter((loaded) => loaded === k)).toHaveLength(1);
    const waits = others.flatMap(({ answers }) =>
      answers.filter(({ answered }) => answered === k).map(({ ms = 0 }) => ms),
    );
    expect(Math.max(...waits)).toBeLessThan(1_200);
  });
});
