import { Cache, type CacheOptions } from '../src/index.ts';
import { atTheEnd, until } from '@tocsin/testing';

/** A cache that is closed after the spec file, ready for use. */
export async function aCache(url: string, options: Partial<CacheOptions> = {}): Promise<Cache> {
  const cache = new Cache({ url, namespace: 'test', ...options });
  atTheEnd(() => cache.close());
  await isUp(cache);
  return cache;
}

/** Waits until the cache keeps what it loads: the sign that Redis is there and believed. */
export async function isUp(cache: Cache): Promise<void> {
  await until(
    async () => {
      const key = `probe ${Math.random()}`;
      await cache.get(key, async () => 1, { ttlMs: 60_000, staleMs: 0 });
      let loads = 0;
      await cache.get(key, async () => (loads += 1), { ttlMs: 60_000, staleMs: 0 });
      return loads === 0;
    },
    { what: 'the cache to believe Redis', timeoutMs: 18_000 },
  );
}

/** A record that changes, and counts how often it was read. */
export class Source {
  loads = 0;
  failure: Error | undefined;
  constructor(public value: string) {}

  readonly load = async (): Promise<string> => {
    this.loads += 1;
    const { value, failure } = this;
    await Promise.resolve();
    if (failure !== undefined) throw failure;
    return value;
  };
}

/** A promise that is settled from outside. */
export function gate(): { wait: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { wait, open };
}

interface Link {
  era: string | undefined;
  commands: {
    offlineQueue: { length: number };
    connector: { disconnect(): void };
    del(key: string): Promise<number>;
    disconnect(reconnect: boolean): void;
    once(event: 'connecting' | 'end', listener: () => void): unknown;
  };
  options: { onNews: () => void };
  fall(reason: string): void;
}

/** The inside of a cache, for what can't be seen from outside. */
export function linkOf(cache: Cache): Link {
  return Reflect.get(Reflect.get(cache, 'shared') as object, 'link') as Link;
}

/** Waits until all follow the era that the last of them began. */
export async function sameEra(...caches: Cache[]): Promise<void> {
  await until(
    () => {
      const eras = new Set(caches.map((cache) => linkOf(cache).era));
      return eras.size === 1 && !eras.has(undefined);
    },
    { what: 'one era' },
  );
}

const SETTLED_MS = 500;

/** The same, and nobody is about to begin another one: each instance begins one when it connects. */
export async function settled(...caches: Cache[]): Promise<void> {
  let era: string | undefined;
  let since = 0;
  await until(
    () => {
      const eras = new Set(caches.map((cache) => linkOf(cache).era));
      const [now] = eras;
      if (eras.size > 1 || now === undefined || now !== era) {
        era = eras.size === 1 ? now : undefined;
        since = performance.now();
        return false;
      }
      return performance.now() - since > SETTLED_MS;
    },
    { what: 'an era that lasts', everyMs: 20 },
  );
}
