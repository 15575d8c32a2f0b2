import type { Coverage, ResultView } from '@tocsin/contracts';
import { ApiClient, atTheEnd, Sink, startTocsin, type StartedTocsin, Target, until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';

const MONITORS = 20;
const names = Array.from({ length: MONITORS }, (_, n) => `monitor ${n}`);

let tocsin: StartedTocsin;
let api: ApiClient;
let target: Target;
let sink: Sink;
let ids: string[];
let rounds = 0;
const excused = new Set<string>();

/** Kills the first instance of a service and waits until another process has taken its place and is ready. */
async function killOne(service: string): Promise<void> {
  const victim = tocsin.runtime.instances.find((instance) => instance.service === service)!;
  process.kill(victim.pid, 'SIGKILL');
  await until(
    async () => {
      const now = tocsin.runtime.instances.find(({ instance }) => instance === victim.instance)!;
      return now.pid !== victim.pid && (await fetch(now.health)).ok;
    },
    { timeoutMs: 20_000, what: `${victim.instance} back` },
  );
}

interface Hook {
  kind: string;
  monitor: { name: string };
}

/** What a receiver that heeds Idempotency-Key knows of each monitor, in order: `opened resolved opened …`. */
function stories(): Record<string, string> {
  const told: Record<string, string[]> = Object.fromEntries(names.map((name) => [name, []]));
  const firsts = new Map(sink.arrivals.toReversed().map((arrival) => [arrival.key, arrival]));
  for (const arrival of sink.arrivals) {
    const { monitor, kind } = arrival.body as Hook;
    if (firsts.get(arrival.key) === arrival) told[monitor.name]!.push(kind);
  }
  return Object.fromEntries(Object.entries(told).map(([name, kinds]) => [name, kinds.join(' ')]));
}

const everyStory = (story: string) => Object.fromEntries(names.map((name) => [name, story]));
const count = (kind: string) =>
  new Set(sink.arrivals.filter(({ body }) => (body as Hook).kind === kind).map(({ key }) => key)).size;

describe('killing one instance', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    [tocsin, target, sink] = await Promise.all([startTocsin(), Target.start(), Sink.start()]);
    atTheEnd(async () => {
      await tocsin.stop();
      await Promise.all([target.stop(), sink.stop()]);
    });
    api = new ApiClient(tocsin.gateways, tocsin.token);
    const channel = await api.post<{ id: string }>('/v1/channels', {
      kind: 'webhook',
      name: 'sink',
      settings: { url: sink.url },
    });
    ids = await api.createMonitors(
      names.map((name) => ({
        kind: 'http',
        name,
        interval: '5s',
        timeout: '2s',
        channels: [channel.id],
        settings: { url: target.url },
      })),
    );
    await until(() => target.hits >= MONITORS);
  }, 180_000);

  it.each(['scheduler', 'prober', 'incidents', 'notifier', 'monitors', 'status', 'gateway'])(
    'of %s loses no alarm and sends none twice',
    async (service) => {
      rounds += 1;
      const killing = killOne(service);
      target.answer(503);
      await until(() => count('opened') >= MONITORS * rounds, { timeoutMs: 20_000, what: 'every alarm' });
      target.answer(200);
      await until(() => count('resolved') >= MONITORS * rounds, { timeoutMs: 20_000, what: 'every recovery' });
      await killing;
      expect(stories()).toEqual(everyStory(Array(rounds).fill('opened resolved').join(' ')));
      // Only a notifier that dies between the receiver's answer and its own commit may send a key again.
      const again = sink.doubled().filter((key) => !excused.has(key));
      for (const key of again) excused.add(key);
      expect(service === 'notifier' ? [] : again).toEqual([]);
    },
  );

  it('missed no window in all of that', async () => {
    const unaccounted: unknown[] = [];
    for (const id of ids) {
      const { coverage } = await api.get<{ coverage: Coverage }>(`/v1/monitors/${id}/uptime`);
      if (coverage.due === coverage.ran + coverage.late + coverage.pending) continue;
      const { items } = await api.get<{ items: ResultView[] }>(`/v1/monitors/${id}/results?limit=500`);
      unaccounted.push(coverage, ...items.filter(({ outcome }) => outcome === 'missed'));
    }
    expect(unaccounted).toEqual([]);
  });
});
