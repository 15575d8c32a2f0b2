import { type CheckTask, checkTask, contract, type Monitor, monitorSpec, streams, subjects } from '@tocsin/contracts';
import { dueAt, gridOf, newId, windowAt } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { atTheEnd, natsServer, type ServiceProcess, startService, takeAll, until } from '@tocsin/testing';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

const INTERVAL_MS = 5_000;
const MONITORS = 40;
const SHARDS = 8;
const PUBLISHED = 'tocsin_tasks_published_total';
const DOUBLED = 'tocsin_tasks_doubled_total';

/** The oracle: every task that reached the stream, with the time it did. */
const tasks: { task: CheckTask; at: number }[] = [];
let monitors: Monitor[];
let messaging: Messaging;
let natsUrl: string;

function aMonitor(): Monitor {
  const now = Date.now();
  const settings = { host: '127.0.0.1', port: 1 };
  const spec = monitorSpec.parse({ kind: 'tcp', name: 'm', interval: '5s', timeout: '1s', settings });
  return { id: newId(), revision: 1, createdAt: now, updatedAt: now, gridSince: now, spec };
}

const start = (instance: string): Promise<ServiceProcess> =>
  startService('scheduler', { TOCSIN_INSTANCE: instance, TOCSIN_NATS_URLS: natsUrl });

/** The same for one test: an instance that a failed test left behind would take shards from those of the next. */
async function during(instance: string): Promise<ServiceProcess> {
  const process = await start(instance);
  onTestFinished(() => process.kill('SIGKILL'));
  return process;
}

/** A figure of an instance's metrics; 0 where it was never counted. */
async function figure(instance: ServiceProcess, name: string): Promise<number> {
  const text = await (await fetch(`${instance.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1] ?? 0);
}

/** Windows of all monitors that fell due in a time, and how often each was published. */
function counted(from: number, to: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { id } of monitors) {
    const grid = gridOf(id, INTERVAL_MS);
    for (let k = windowAt(grid, from) + 1; dueAt(grid, k) <= to; k++) counts.set(`${id}.${k}`, 0);
  }
  for (const { task } of tasks) {
    const key = `${task.monitorId}.${task.window}`;
    if (task.attempt === 0 && counts.has(key)) counts.set(key, counts.get(key)! + 1);
  }
  return counts;
}

/** Windows that are not in the stream exactly once, and how often they are: none, where all is well. */
const wrong = (from: number, to: number) => [...counted(from, to)].filter(([, count]) => count !== 1);
const latest = (from: number, to: number) =>
  Math.max(...tasks.filter(({ task }) => task.dueAt > from && task.dueAt <= to).map(({ task, at }) => at - task.dueAt));

const sum = (figures: readonly number[]) => figures.reduce((total, one) => total + one, 0);

/** Waits until the oracle has seen every window that falls due in some seconds from now. */
async function watch(seconds: number, from: number): Promise<number> {
  const to = Date.now() + seconds * 1_000;
  // Windows that fall due at the very end may be on their way for as long as a failover takes.
  await until(() => Date.now() > to && (wrong(from, to).length === 0 || Date.now() > to + 4_000), {
    timeoutMs: seconds * 1_000 + 8_000,
  });
  return to;
}

describe('scheduler failover', { timeout: 90_000 }, () => {
  beforeAll(async () => {
    const nats = await natsServer();
    natsUrl = nats.url;
    messaging = await Messaging.connect({
      service: 'oracle',
      instance: 'oracle',
      servers: [natsUrl],
      replicas: 1,
      contract,
    });
    atTheEnd(() => messaging.close());
    // The first service to start declares the streams; the oracle needs them before.
    await (await start('first')).stop();
    await takeAll(natsUrl, { stream: streams.checks.name, filter: 'checks.>' }, (data, at) => {
      tasks.push({ task: checkTask.parse(data), at });
    });
  });

  beforeEach(async () => {
    monitors = Array.from({ length: MONITORS }, aMonitor);
    for (const monitor of monitors) {
      await messaging.publish(subjects.monitorConfig(monitor.id), monitor, { id: `${monitor.id}.1` });
    }
  });

  it('misses no window and doubles none when a holder is killed; the standby is at most 3 s late', async () => {
    const [first, second] = await Promise.all([during('killed'), during('standby')]);
    const from = Date.now() + 1_000;
    await watch(3, from);
    first.kill('SIGKILL');
    const to = await watch(8, from);
    expect(wrong(from, to)).toEqual([]);
    expect(latest(from, to)).toBeLessThan(3_000);
    await second.stop();
  });

  it('hands its shards over at once when it stops in order', async () => {
    const [first, second] = await Promise.all([during('leaving'), during('staying')]);
    const from = Date.now() + 1_000;
    await watch(3, from);
    expect(await first.stop()).toBe(0);
    const to = await watch(5, from);
    expect(wrong(from, to)).toEqual([]);
    expect(latest(from, to)).toBeLessThan(1_000);
    await second.stop();
  });

  it('does no harm when a holder wakes up that was frozen longer than its lease', async () => {
    const [first, second] = await Promise.all([during('frozen'), during('awake')]);
    const from = Date.now() + 1_000;
    await watch(3, from);
    const [sent, doubled] = [await figure(first, PUBLISHED), await figure(first, DOUBLED)];
    expect(sent).toBeGreaterThan(0);
    first.kill('SIGSTOP');
    await watch(4, from);
    first.kill('SIGCONT');
    const to = await watch(6, from);
    expect(wrong(from, to)).toEqual([]);
    expect(latest(from, to)).toBeLessThan(3_000);
    // The stream would hide what an unfenced holder sends; it tells the sender. A task or two were on their way when it froze.
    expect((await figure(first, DOUBLED)) - doubled).toBeLessThanOrEqual(3);
    // It has its share again: fenced, not out of work.
    await until(async () => (await figure(first, PUBLISHED)) > sent, { what: 'the woken instance to work again' });
    await Promise.all([first.stop(), second.stop()]);
  });

  it('goes on while no lease can be written, as in an election, and holds all shards again after it', async () => {
    const both = await Promise.all([during('left'), during('right')]);
    // A shard that is on its way from one to the other would be held by nobody all the time.
    const shares = () => Promise.all(both.map((one) => figure(one, 'tocsin_scheduler_shards')));
    await until(async () => (await shares()).every((share) => share === SHARDS / 2), {
      what: 'both to have their share',
    });
    const from = Date.now() + 1_000;
    await watch(2, from);
    const { streams: broker } = messaging.connection.jsm;
    const limit = (bytes: number) => broker.update('KV_leases', { max_msg_size: bytes });
    onTestFinished(async () => void (await limit(-1)));
    await limit(1);
    const refused = await watch(6, from);
    expect(wrong(from, refused)).toEqual([]);
    expect(latest(from, refused)).toBeLessThan(1_000);
    await limit(-1);
    const to = await watch(3, from);
    expect(wrong(from, to)).toEqual([]);
    await until(async () => sum(await shares()) === SHARDS, { what: 'all shards to be held again' });
    await Promise.all(both.map((one) => one.stop()));
  });

  it('shares the shards again when instances come and go, without a gap', async () => {
    const first = await during('rebalance-1');
    const from = Date.now() + 1_000;
    await watch(2, from);
    const [second, third] = await Promise.all([during('rebalance-2'), during('rebalance-3')]);
    const all = [first, second, third];
    const shares = () => Promise.all(all.map((one) => figure(one, 'tocsin_scheduler_shards')));
    // Each gives up what is another's before the other takes it, so on the way there some hold more than their share.
    await until(
      async () => {
        const now = await shares();
        return sum(now) === SHARDS && Math.max(...now) <= Math.ceil(SHARDS / 3);
      },
      { what: 'nobody to hold more than a third' },
    );
    const joined = await watch(2, from);
    expect(wrong(from, joined)).toEqual([]);
    expect(latest(from, joined)).toBeLessThan(3_000);
    await second.stop();
    third.kill('SIGKILL');
    const to = await watch(7, from);
    await until(async () => (await figure(first, 'tocsin_scheduler_shards')) === SHARDS, {
      what: 'the last one to hold all shards',
    });
    expect(wrong(from, to)).toEqual([]);
    expect(latest(from, to)).toBeLessThan(3_000);
    await first.stop();
  });
});
