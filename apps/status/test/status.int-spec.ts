import { rmSync } from 'node:fs';
import {
  contract,
  type Monitor,
  monitorSpec,
  type Outcome,
  requests,
  type Result,
  type ResultView,
  subjects,
} from '@tocsin/contracts';
import { dueAt, gridOf, newId, windowAt, windowsIn } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import {
  aMonitor,
  aResult,
  atTheEnd,
  natsServer,
  redisServer,
  type ServiceProcess,
  startService,
  until,
} from '@tocsin/testing';
import { type RunningPostgres, startPostgres, temporaryDir } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';

const HOUR = 3_600_000;

describe('the read side', () => {
  let messaging: Messaging;
  let server: RunningPostgres;
  let incidents: ServiceProcess;

  beforeAll(async () => {
    const dataDir = temporaryDir('postgres');
    const [nats, redis, postgresql] = await Promise.all([natsServer(), redisServer(), startPostgres({ dataDir })]);
    atTheEnd(() => postgresql.stop().then(() => rmSync(dataDir, { recursive: true, force: true })));
    const database = await postgresql.createDatabase('tocsin');
    server = postgresql;
    messaging = await Messaging.connect({
      service: 'test',
      instance: 'test-1',
      servers: [nats.url],
      replicas: 1,
      contract,
    });
    atTheEnd(() => messaging.close());
    const env = (role: 'incidents' | 'status') => ({
      TOCSIN_NATS_URLS: nats.url,
      TOCSIN_REDIS_URL: redis.url,
      TOCSIN_DATABASE_URL: database.urlFor(role),
    });
    incidents = await startService('incidents', env('incidents'));
    await startService('status', env('status'));
  }, 60_000);

  /** A monitor of an hour ago, or of as many windows. */
  async function watched(windows?: number): Promise<Monitor> {
    const now = Date.now();
    const id = newId();
    const grid = gridOf(id, 10_000);
    const createdAt = windows === undefined ? now - HOUR : dueAt(grid, windowAt(grid, now) - windows) - 1;
    const monitor = aMonitor({ id, createdAt, spec: { confirm: false, interval: '10s' } });
    await messaging.publish(subjects.monitorConfig(monitor.id), monitor, { id: `${monitor.id}.1` });
    return monitor;
  }

  /** The result of the n-th window before now. */
  function result(monitor: Monitor, n: number, over: Parameters<typeof aResult>[0] = {}): Result {
    const grid = gridOf(monitor.id, 10_000);
    const window = windowAt(grid, Date.now()) - n;
    return aResult({ monitorId: monitor.id, window, dueAt: dueAt(grid, window), ...over });
  }

  async function send(...results: Result[]): Promise<void> {
    for (const one of results) {
      const id = `${one.monitorId}.${one.window}.${one.location}.${one.attempt}`;
      await messaging.publish(subjects.result(one.monitorId), one, { id });
    }
  }

  const stateOf = async (monitor: Monitor) =>
    (await messaging.request(requests.statesGet, { monitorIds: [monitor.id] })).items[0];

  it('shows a state, its incident, and both again as soon as they change', async () => {
    const monitor = await watched();
    await send(result(monitor, 3), result(monitor, 2, { down: 'status' }));
    const down = await until(async () => (await stateOf(monitor))?.openIncidentId && stateOf(monitor), {
      what: 'down',
    });
    expect(down).toMatchObject({ state: 'down', reason: 'status', name: monitor.spec.name });
    const id = down?.openIncidentId ?? '';
    expect(await messaging.request(requests.incidentsGet, { id })).toMatchObject({
      status: 'open',
      timeline: [{ what: 'opened' }],
    });
    await send(result(monitor, 1));
    await until(async () => (await stateOf(monitor))?.state === 'up', { what: 'up' });
    await until(async () => (await messaging.request(requests.incidentsGet, { id })).status === 'resolved', {
      what: 'resolved',
    });
    const { items } = await messaging.request(requests.incidentsList, { monitorId: monitor.id, limit: 10 });
    expect(items).toMatchObject([{ id, status: 'resolved' }]);
  });

  it('pages through results by cursor, the newest first, each once', async () => {
    const monitor = await watched(7);
    await send(...Array.from({ length: 7 }, (_, n) => result(monitor, n + 1, n === 2 ? { down: 'timeout' } : {})));
    const range = { monitorId: monitor.id, from: Date.now() - HOUR, to: Date.now() };
    await until(
      async () =>
        (await messaging.request(requests.results, { ...range, to: Date.now(), limit: 10 })).items.length === 7,
      {
        what: 'seven results',
      },
    );
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await messaging.request(requests.results, { ...range, limit: 3, ...(cursor ? { cursor } : {}) });
      seen.push(...page.items.map((item) => item.dueAt));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => b - a));
    expect(seen).toHaveLength(7);
  });

  it('reports uptime, coverage and latency from single results where nothing is rolled up yet', async () => {
    const monitor = await watched();
    await send(result(monitor, 3), result(monitor, 2, { down: 'status' }), result(monitor, 1, { outcome: 'late' }));
    const range = { monitorId: monitor.id, from: Date.now() - HOUR / 2, to: Date.now() + 1_000 };
    let askedAt = 0;
    const report = await until(
      async () => {
        askedAt = Date.now();
        const found = await messaging.request(requests.uptime, {
          ...range,
          to: range.to + Math.floor(Math.random() * 1_000),
        });
        return found.coverage.ran + found.coverage.late === 3 && found;
      },
      { what: 'three windows' },
    );
    expect(report).toMatchObject({ checks: { up: 2, down: 1, degraded: 0 }, coverage: { ran: 2, late: 1 } });
    const { due, ran, late, missed, excused, pending, unaccounted } = report.coverage;
    // What is not due yet does not count; a window may become due while the question is on its way.
    const dueBy = (to: number): number => windowsIn(gridOf(monitor.id, 10_000), range.from, to);
    expect(due).toBeGreaterThanOrEqual(dueBy(askedAt));
    expect(due).toBeLessThanOrEqual(dueBy(Math.min(report.to, Date.now())));
    expect(due).toBe(ran + late + missed + excused + pending + unaccounted);
    expect(report.latency.count).toBe(2);
    expect(report.uptime).toBeCloseTo(2 / 3);
    const { items } = await messaging.request(requests.rollups, { ...range, seconds: 300 });
    expect(items.reduce((sum, item) => sum + item.up + item.down, 0)).toBe(3);
  });

  it('every window ends on record, with who answered and when, and the sums say the same as the list', async () => {
    const monitor = await watched();
    await send(
      result(monitor, 8, { outcome: 'late' }),
      result(monitor, 7, { outcome: 'missed', finding: undefined, startedAt: undefined, prober: 'prober-9' }),
      ...[1, 2, 3, 4, 5, 6].map((n) => result(monitor, n)),
    );
    const to = Date.now();
    const range = { monitorId: monitor.id, from: to - HOUR + 60_000, to };
    // What nobody answered is marked by the sweep.
    const coverage = await until(
      async () => {
        const found = (
          await messaging.request(requests.coverage, { ...range, to: to + 61_000 + Math.floor(Math.random() * 1e6) })
        ).coverage;
        return found.missed > 300 && found.unaccounted === 0 && found;
      },
      { what: 'every window accounted for', timeoutMs: 30_000 },
    );
    expect(coverage).toMatchObject({ ran: 6, late: 1, excused: 0 });
    const list = async (outcome: Outcome[]): Promise<ResultView[]> => {
      const items: ResultView[] = [];
      for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
        const asked = { ...range, outcome, limit: 100, ...(cursor ? { cursor } : {}) };
        const page = await messaging.request(requests.results, asked);
        items.push(...page.items);
        cursor = page.next;
      }
      return items;
    };
    const late = await list(['late']);
    expect(late).toMatchObject([{ outcome: 'late', prober: 'prober-1', at: late[0]!.startedAt! + 12 }]);
    const missed = await list(['missed']);
    expect(missed).toHaveLength(coverage.missed);
    expect(missed.find(({ prober }) => prober === 'prober-9')).toMatchObject({ at: expect.any(Number) as number });
    const nobody = missed.find(({ prober }) => prober === '')!;
    expect(nobody.at).toBeGreaterThan(nobody.dueAt);
    expect(nobody).not.toHaveProperty('startedAt');
    expect(await list(['missed', 'late'])).toHaveLength(missed.length + 1);
    expect((await list(['ran'])).length).toBe(6);
    // The gauge is read in rounds of half a minute, the first one after as long.
    const metrics = await until(
      async () => {
        const text = await (await fetch(`${incidents.url}/metrics`)).text();
        return /^tocsin_windows_unaccounted(\{[^}]*\})? \d/m.test(text) && text;
      },
      { what: 'the count of what is unaccounted for', timeoutMs: 40_000 },
    );
    const marked = Number(/^tocsin_windows_total\{outcome="missed"[^}]*\} (\d+)/m.exec(metrics)?.[1]);
    expect(marked).toBeGreaterThanOrEqual(missed.length);
    expect(metrics).toMatch(/^tocsin_windows_total\{outcome="late"[^}]*\} [1-9]/m);
  }, 90_000);

  it('the uptime of a heartbeat shows its silence, without its pauses, over any range', async () => {
    const id = newId();
    const settings = { schedule: { every: '2s' }, grace: '0s' };
    const spec = monitorSpec.parse({ kind: 'heartbeat', name: 'backup', settings });
    const created = Date.now();
    const monitor = { id, revision: 1, createdAt: created, updatedAt: created, gridSince: created, spec };
    await messaging.publish(subjects.monitorConfig(id), monitor, { id: `${id}.1` });
    const state = async () => (await messaging.request(requests.statesGet, { monitorIds: [id] })).items[0];
    const uptime = (from: number, to: number) => messaging.request(requests.uptime, { monitorId: id, from, to });
    const newState = await until(state, { what: 'the new monitor' });
    // Up for two seconds, and silent after them.
    const first = Math.max(Date.now(), newState.since);
    const heartbeat = { monitorId: id, pingId: newId(), signal: 'success', receivedAt: first };
    await messaging.publish(subjects.heartbeat(id), heartbeat, { id: heartbeat.pingId });
    const silent = async (n: number) => (await uptime(first, first + HOUR + n)).checks.down >= 2;
    let asked = 0;
    await until(() => silent((asked += 1)), { what: 'two pings that did not come' });
    // A pause is nobody's outage.
    const paused = { ...monitor, revision: 2, updatedAt: Date.now(), spec: { ...spec, paused: true } };
    await messaging.publish(subjects.monitorConfig(id), paused, { id: `${id}.2` });
    await until(async () => (await state())?.state === 'paused', { what: 'the pause' });
    const end = (await state())!.since;
    for (const range of [
      [first - HOUR, end],
      [first, end + HOUR],
      [first - 2 * HOUR, end + 2 * HOUR],
    ] as const) {
      const report = await uptime(...range);
      expect(report.uptime).toBeCloseTo(2_000 / (end - first), 6);
      expect(report).toMatchObject({ downMs: end - first - 2_000, incidents: 1, checks: { up: 1 } });
      expect(report.coverage).toMatchObject({ due: 0, unaccounted: 0 });
    }
    // At the edges of a range nothing is lost or added.
    expect((await uptime(first, first + 3_000)).uptime).toBeCloseTo(2 / 3, 6);
    expect((await uptime(first + 2_000, first + 3_500)).uptime).toBe(0);
    expect((await uptime(first, first + 2_000)).uptime).toBe(1);
    expect(await uptime(first - HOUR, first)).not.toHaveProperty('uptime');
    expect(await uptime(end, end + HOUR)).not.toHaveProperty('uptime');
    // The rows of the history say the same.
    const range = { monitorId: id, from: first - (first % 300_000), to: Date.now(), seconds: 300 } as const;
    const { items } = await messaging.request(requests.rollups, range);
    expect(items.reduce((sum, item) => sum + item.down, 0)).toBeGreaterThanOrEqual(2);
    for (const item of items) {
      expect(item.uptime).toBeLessThan(1);
      expect(item.coverage).toMatchObject({ due: 0, missed: 0, unaccounted: 0 });
    }
  });

  it('of a monitor that never existed nothing is reported, of a new one and a deleted one what there is', async () => {
    const ask = (monitorId: string): Promise<unknown>[] => {
      const range = { monitorId, from: Date.now() - HOUR, to: Date.now() };
      return [
        messaging.request(requests.results, { ...range, limit: 10 }),
        messaging.request(requests.uptime, range),
        messaging.request(requests.coverage, range),
        messaging.request(requests.rollups, { ...range, seconds: 300 }),
      ];
    };
    const never = await Promise.allSettled(ask(newId()));
    for (const one of never) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } });
    const fresh = await watched(0);
    await until(() => stateOf(fresh), { what: 'its state' });
    await Promise.all(ask(fresh.id));
    const gone = { id: fresh.id, revision: 2, deleted: true, at: Date.now() } as const;
    await messaging.publish(subjects.monitorConfig(fresh.id), gone, { id: `${fresh.id}.2` });
    await until(async () => !(await stateOf(fresh)), { what: 'its deletion' });
    await Promise.all(ask(fresh.id));
  });

  it('gives every monitor in numbers, page by page', async () => {
    const [one, other] = [await watched(), await watched()];
    const ids: string[] = [];
    await until(
      async () => {
        ids.length = 0;
        let cursor: string | undefined;
        do {
          const page = await messaging.request(requests.tallies, { limit: 1, ...(cursor ? { cursor } : {}) });
          ids.push(...page.items.map((item) => item.monitorId));
          cursor = page.next;
        } while (cursor !== undefined);
        return ids.includes(one.id) && ids.includes(other.id);
      },
      { what: 'both monitors', timeoutMs: 20_000 },
    );
    expect(ids).toEqual([...new Set(ids)].toSorted());
  });

  it('counts the monitors by state, and lists them', async () => {
    const monitor = await watched();
    await until(() => stateOf(monitor), { what: 'its state' });
    const summary = await until(
      async () => {
        const found = await messaging.request(requests.summary, {});
        return found.states.unknown > 0 && found;
      },
      { what: 'the summary' },
    );
    expect(summary.monitors).toBeGreaterThan(0);
    const listed = await messaging.request(requests.statesList, { state: 'unknown', limit: 100 });
    expect(listed.items.map((item) => item.monitorId)).toContain(monitor.id);
  });

  it.each([
    ['incidents', requests.incidentsList, { cursor: 'nonsense', limit: 10 }],
    ['states', requests.statesList, { cursor: Buffer.from('["x"]').toString('base64url'), limit: 10 }],
    ['results', requests.results, { monitorId: newId(), from: 0, to: 1, cursor: 'bm8', limit: 10 }],
    ['notifications', requests.notificationsList, { cursor: Buffer.from('[1,2]').toString('base64url'), limit: 10 }],
  ] as const)('a cursor that is not one of the list of %s is refused with its path', async (_name, spec, input) => {
    await expect(messaging.request(spec as typeof requests.incidentsList, input)).rejects.toMatchObject({
      code: 'invalid',
      fields: [{ path: '/cursor' }],
    });
  });

  it('says clearly when notifications have no owner yet, and answers everything else', async () => {
    await expect(messaging.request(requests.notificationsList, { limit: 10 })).rejects.toThrow(/owner has not created/);
    await expect(messaging.request(requests.incidentsGet, { id: newId() })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('goes on while the database is away: what was answered is answered again, marked stale', async () => {
    const before = await messaging.request(requests.summary, {});
    const listed = await messaging.request(requests.statesList, { limit: 100 });
    await server.kill('SIGKILL');
    // An event makes the cache forget: there is an answer all the same.
    const monitor = aMonitor();
    const event = { monitorId: monitor.id, name: 'x', change: 'created', revision: 1, at: Date.now() };
    await messaging.publish(subjects.monitorEvent(monitor.id), event, { id: newId() });
    const away = await until(
      async () => {
        const found = await messaging.request(requests.summary, {});
        return found.stale && found;
      },
      { what: 'a stale answer' },
    );
    expect(away.monitors).toBe(before.monitors);
    const list = await until(
      async () => {
        const found = await messaging.request(requests.statesList, { limit: 100 });
        return found.stale && found;
      },
      { what: 'a stale list' },
    );
    expect(list).toMatchObject({ items: listed.items, ageMs: expect.any(Number) as number });
    await expect(messaging.request(requests.incidentsGet, { id: newId() })).rejects.toMatchObject({ retry: true });
    await server.restart();
    await until(async () => !(await messaging.request(requests.summary, {})).stale, { what: 'a fresh answer' });
  });

  it('while the database is frozen what was answered is answered again, within half a second, and the rest in its time', async () => {
    const ask = () => messaging.request(requests.summary, {});
    const before = await ask();
    await server.kill('SIGSTOP');
    try {
      await until(async () => (await ask()).stale, { what: 'a stale answer' });
      const times: number[] = [];
      for (let n = 0; n < 8; n += 1) {
        const startedAt = performance.now();
        expect((await ask()).monitors).toBe(before.monitors);
        times.push(performance.now() - startedAt);
      }
      expect(times.toSorted((a, b) => a - b)[6]).toBeLessThan(500);
      const startedAt = performance.now();
      const unknown = messaging.request(requests.incidentsGet, { id: newId() }, { deadline: Date.now() + 1_500 });
      await expect(unknown).rejects.toMatchObject({ retry: true });
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    } finally {
      await server.kill('SIGCONT');
    }
    await until(async () => !(await ask()).stale, { what: 'a fresh answer', timeoutMs: 15_000 });
  });
});
