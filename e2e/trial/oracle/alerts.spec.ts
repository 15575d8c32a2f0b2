import type { Arrival } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { HALF_PERIOD_MS } from '../load/schedule.ts';
import { type Alert, alertsOf } from './alert.ts';
import { countAlerts } from './alerts.ts';
import { dueTimesOf } from './windows.ts';

const startedAt = 1_700_000_000_000;
const range = { from: startedAt, to: startedAt + 110_000 };
const monitor = { n: 0, name: '', id: 'monitor 0', intervalMs: 5_000, flips: { offsetMs: 3_000 } };
const phase = (k: number) => startedAt + 3_000 + k * HALF_PERIOD_MS;
const DELAY = 100;

/** Every window hit in time, and all four alerts of two outages. */
function wellTold() {
  const hits = dueTimesOf(monitor, { from: range.from, to: range.to + 20_000 }).map((due) => due + 10);
  return { hits, alerts: alertsFor(hits), repeated: [] as { key: string; at: number }[] };
}

/** What is told at once when each of the first four phases is first seen. */
function alertsFor(hits: readonly number[]): Alert[] {
  return [0, 1, 2, 3].map((k): Alert => {
    const at = hits.find((hit) => hit >= phase(k))! + DELAY - 10;
    const bad = k % 2 === 0;
    const about = { monitorId: monitor.id, incidentId: `incident ${k >> 1}`, state: bad ? 'down' : 'up' };
    return { key: `key ${k}`, at, kind: bad ? 'opened' : 'resolved', happenedAt: at - 20, ...about };
  });
}
type Told = ReturnType<typeof wellTold>;

function counted(change: (told: Told) => void, over: { from?: number; to?: number; usualMs?: number } = {}) {
  const told = wellTold();
  change(told);
  const { hits, alerts, repeated } = told;
  const { usualMs = 0, ...ends } = over;
  return countAlerts({
    monitors: [monitor],
    hitsOf: (n) => (n === 0 ? hits : []),
    startedAt,
    seen: { alerts: alerts.toSorted((a, b) => a.at - b.at), repeated },
    range: { ...range, ...ends },
    usualMs,
  });
}

const clean = { expected: 4, arrived: 4, lost: 0, doubled: 0, repeatedKeys: 0, false: 0, silence: 0 };

describe('the alerts against what the targets did', () => {
  it('are all there when each going down and coming back was told once', () => {
    // The range ends within the fifth phase, before its first window was due or soon after.
    expect(counted(() => undefined, { to: phase(4) })).toMatchObject({ ...clean, worstExtraMs: DELAY, details: [] });
  });

  it('count one as lost that never came', () => {
    for (const k of [0, 1, 2, 3]) {
      const counts = counted(({ alerts }) => alerts.splice(k, 1), { to: phase(4) });
      expect(counts).toMatchObject({ ...clean, arrived: 3, lost: 1 });
      expect(counts.details).toMatchObject([{ what: 'lost', at: phase(k), kind: k % 2 === 0 ? 'opened' : 'resolved' }]);
    }
    expect(counted(({ alerts }) => alerts.splice(0), { to: phase(4) })).toMatchObject({ expected: 4, lost: 4 });
  });

  it('expect nothing of an outage that one check alone saw, as before a full stop', () => {
    const untold = (sights: number) =>
      counted(
        ({ hits, alerts }) => {
          const first = hits.findIndex((hit) => hit >= phase(2));
          const end = hits.findIndex((hit) => hit >= phase(3));
          hits.splice(first + sights, end - first - sights);
          alerts.splice(2, 2);
        },
        { to: phase(4) },
      );
    expect(untold(1)).toMatchObject({ ...clean, expected: 2, arrived: 2, unseen: 1 });
    expect(untold(2)).toMatchObject({ ...clean, arrived: 2, lost: 2 });
  });

  it('count one as doubled that tells the same again under another key', () => {
    for (const k of [0, 1, 2, 3]) {
      const counts = counted(({ alerts }) => alerts.push({ ...alerts[k]!, key: 'another', at: alerts[k]!.at + 500 }), {
        to: phase(4),
      });
      expect(counts).toMatchObject({ ...clean, doubled: 1 });
    }
  });

  it('count a key that was accepted again apart from that', () => {
    const counts = counted(({ repeated }) => repeated.push({ key: 'key 1', at: phase(1) + 9_000 }), { to: phase(4) });
    expect(counts).toMatchObject({ ...clean, repeatedKeys: 1 });
  });

  it('count one as false that tells of what did not happen', () => {
    const at = phase(1) + 12_000;
    const wrong = (over: Partial<Alert>) => (told: Told) =>
      told.alerts.push({ ...told.alerts[0]!, key: 'another', at, happenedAt: at, ...over });
    expect(counted(wrong({}), { to: phase(4) })).toMatchObject({ ...clean, false: 1 });
    expect(counted(wrong({ kind: 'resolved', happenedAt: phase(0) - 2_000 }), { to: phase(4) })).toMatchObject({
      false: 1,
    });
    expect(counted(wrong({ monitorId: 'of nobody' }), { to: phase(4) })).toMatchObject({ ...clean, false: 1 });
  });

  it('count one as late by the time since the first window that could see it, less what is usual', () => {
    const later = ({ alerts }: Told) => (alerts[2]!.at += 4_000);
    expect(counted(later, { to: phase(4) })).toMatchObject({ ...clean, worstExtraMs: 4_000 + DELAY });
    expect(counted(later, { to: phase(4), usualMs: DELAY })).toMatchObject({ worstExtraMs: 4_000 });
  });

  it('match whatever order they come in, and however late', () => {
    const muddled = ({ alerts }: Told) => alerts.forEach((alert, k) => (alert.at = phase(4) + 10_000 - k));
    expect(counted(muddled, { to: phase(4) })).toMatchObject(clean);
  });

  it('expect nothing of a phase that no check fell into, nor of the next, which then changes nothing', () => {
    const blind = ({ hits, alerts }: Told) => {
      const seen = hits.filter((at) => at < phase(0) || at >= phase(1));
      hits.splice(0, hits.length, ...seen);
      alerts.splice(0, 2);
    };
    expect(counted(blind, { to: phase(4) })).toMatchObject({ ...clean, expected: 2, arrived: 2, unseen: 1 });
    const told = ({ alerts }: Told) => alerts.unshift(...wellTold().alerts.slice(0, 1));
    expect(counted((all) => (blind(all), told(all)), { to: phase(4) })).toMatchObject({ expected: 2, false: 1 });
  });

  it('may tell or not of a phase that a check saw only just before its end', () => {
    const barely = ({ hits }: Told) => {
      const seen = hits.filter((at) => at < phase(0) || at >= phase(1) - 6_000);
      hits.splice(0, hits.length, ...seen);
    };
    const told = ({ alerts }: Told) => {
      alerts[0]!.at = alerts[0]!.happenedAt = phase(1) - 500;
    };
    expect(counted((all) => (barely(all), told(all)), { to: phase(4) })).toMatchObject(clean);
    const untold = counted((all) => (barely(all), all.alerts.splice(0, 2)), { to: phase(4) });
    expect(untold).toMatchObject({ ...clean, expected: 2, arrived: 2, unseen: 1 });
  });

  it('tell rightly that no checks run where indeed none did, with its end, and falsely where some did', () => {
    const [from, to] = [phase(1) + 6_000, phase(2) + 10_000];
    const silent = (told: Told) => {
      told.hits = told.hits.filter((hit) => hit < from || hit >= to);
      told.alerts = alertsFor(told.hits);
      const happenedAt = from + 24_000;
      const silence = {
        ...told.alerts[0]!,
        key: 'silent',
        incidentId: 'of silence',
        state: 'unknown',
        at: happenedAt,
        happenedAt,
      };
      told.alerts.push(silence, { ...silence, key: 'over', kind: 'resolved', at: to + 10, happenedAt: to });
    };
    expect(counted(silent, { to: phase(4) })).toMatchObject({ ...clean, silence: 1 });
    const wrong = ({ alerts }: Told) => alerts.push({ ...alerts[0]!, key: 'silent', incidentId: 'x', state: 'unknown', happenedAt: phase(1) + 12_000 }); // prettier-ignore
    expect(counted(wrong, { to: phase(4) })).toMatchObject({ silence: 0, false: 1 });
  });

  it('count in the range in which the first window that could see it was due, and in no other', () => {
    const due = dueTimesOf(monitor, { from: phase(2), to: phase(3) })[0]!;
    const before = counted(() => undefined, { to: due });
    const after = counted(() => undefined, { from: due, to: phase(4) });
    expect([before.arrived, after.arrived, before.lost + after.lost + before.false + after.false]).toEqual([2, 2, 0]);
    expect(counted(({ alerts }) => alerts.splice(2, 1), { from: due, to: phase(4) })).toMatchObject({ lost: 1 });
  });
});

describe('the alerts of a sink', () => {
  const arrival = (key: string, at: number, answered = 200, body: object = {}): Arrival => ({
    at,
    key,
    target: '/hook',
    headers: {},
    raw: '',
    answered,
    body: {
      kind: 'opened',
      at: new Date(at - 5).toISOString(),
      incident: { id: 'i', state: 'down' },
      monitor: { id: 'm' },
      ...body,
    },
  });

  it('are the first accepted arrivals of each key', () => {
    const seen = alertsOf([arrival('a', 10, 503), arrival('a', 20), arrival('b', 30), arrival('a', 40)]);
    expect(seen.alerts.map(({ key, at, happenedAt }) => [key, at, happenedAt])).toEqual([
      ['a', 20, 15],
      ['b', 30, 25],
    ]);
    expect(seen.repeated).toEqual([{ key: 'a', at: 40 }]);
  });

  it('are openings and resolutions only', () => {
    expect(alertsOf([arrival('a', 10, 200, { kind: 'acknowledged' })]).alerts).toEqual([]);
  });
});
