import { Cache } from '../src/index.ts';

/** One instance of many: reads the keys it is told to, as often as it is told to, and says each load it began. */
const [url = '', mode = 'loads'] = process.argv.slice(2);
const cache = new Cache({ url, namespace: 'herd' });
const LOAD_MS = 60;

function load(key: string): Promise<string> {
  process.send?.({ loading: key });
  return mode === 'hangs' ? new Promise(() => undefined) : new Promise((done) => setTimeout(done, LOAD_MS, key));
}

async function read(key: string): Promise<void> {
  const startedAt = performance.now();
  const { value } = await cache.get(key, () => load(key), { ttlMs: 60_000, staleMs: 0, timeoutMs: 10_000 });
  process.send?.({ answered: value, ms: performance.now() - startedAt });
}

process.on('message', ({ read: key }: { read: string }) => void read(key));

await cache.get('probe', () => Promise.resolve(1), { ttlMs: 1_000, staleMs: 0 });
while (
  !(await cache.ping().then(
    () => true,
    () => false,
  ))
)
  await new Promise((resolve) => setTimeout(resolve, 50));
process.send?.({ ready: true });
