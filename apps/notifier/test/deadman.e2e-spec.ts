import { atTheEnd, Sink, startTocsin, type StartedTocsin, until } from '@tocsin/testing';
import { beforeAll, expect, it } from 'vitest';

const EVERY_MS = 10_000;
const KEY = 'k3y-of-the-switch';

let tocsin: StartedTocsin;
let sink: Sink;
let pids: number[];

beforeAll(async () => {
  sink = await Sink.start();
  atTheEnd(() => sink.stop());
  const env = { TOCSIN_DEADMAN_URL: `${sink.url}/${KEY}`, TOCSIN_DEADMAN_EVERY: '10s' };
  tocsin = await startTocsin({ instances: 2, env });
  atTheEnd(() => tocsin.stop());
  pids = tocsin.runtime.instances.map(({ pid }) => pid);
}, 150_000);

type Switch = { ok: boolean; required: boolean; lastCalledAt?: number; missing: string[] };

/** What the health page of each notifier shows. */
async function shown(): Promise<Switch[]> {
  const notifiers = tocsin.runtime.instances.filter(({ service }) => service === 'notifier');
  const pages = await Promise.all(notifiers.map(async ({ health }) => (await fetch(health)).json()));
  return pages.map((page) => (page as { dependencies: { deadMansSwitch: Switch } }).dependencies.deadMansSwitch);
}

function signal(service: string, name: NodeJS.Signals): void {
  for (const one of tocsin.runtime.instances) if (one.service === service) process.kill(one.pid, name);
}

const calledByAll = async () => (await shown()).every(({ ok, lastCalledAt }) => ok && lastCalledAt);

it('is called by one instance while Tocsin is healthy', async () => {
  await until(() => sink.arrivals.length >= 2, { timeoutMs: 45_000, what: 'two calls' });
  const [first, second] = sink.arrivals.map(({ at }) => at);
  expect(second! - first!).toBeGreaterThan(EVERY_MS - 2_000);
  await until(calledByAll, { what: 'both to show it' });
}, 60_000);

it('is not called while no prober answers, says so, and is called again after', async () => {
  await until(calledByAll, { timeoutMs: 3 * EVERY_MS, what: 'a first call' });
  signal('prober', 'SIGSTOP');
  atTheEnd(() => signal('prober', 'SIGCONT'));
  const [one] = await until(
    async () => {
      const pages = await shown();
      return pages.every(({ missing }) => missing.includes('service prober')) && pages;
    },
    { timeoutMs: 3 * EVERY_MS, what: 'both to show what is missing' },
  );
  expect(one).toMatchObject({ ok: false, required: false });
  const [last] = (await shown()).map(({ lastCalledAt }) => lastCalledAt!);
  const arrivals = sink.arrivals.length;
  // Long enough for a call to have been due.
  await until(() => Date.now() - last! > 2 * EVERY_MS, { timeoutMs: 3 * EVERY_MS, what: 'two periods' });
  expect(sink.arrivals).toHaveLength(arrivals);
  signal('prober', 'SIGCONT');
  await until(() => sink.arrivals.length > arrivals, { timeoutMs: 20_000, what: 'a call' });
}, 120_000);

it('its address is neither logged nor shown', async () => {
  expect(JSON.stringify(await until(shown, { what: 'the health pages' }))).not.toContain(KEY);
  const notifiers = tocsin.runtime.instances.filter(({ service }) => service === 'notifier');
  for (const { instance } of notifiers) {
    expect(tocsin.logs(instance)).toContain('Missing: service prober');
    expect(tocsin.logs(instance)).not.toContain(KEY);
  }
  expect(tocsin.runtime.instances.map(({ pid }) => pid)).toEqual(pids);
});
