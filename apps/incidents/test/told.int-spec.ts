import type { IncidentEvent, Monitor, MonitorSpec } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { aMonitor, aResult } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { bench, type Instance, TestClock } from './bench.ts';

describe('whom the messages of an incident go to', () => {
  const clock = new TestClock();
  const [a, b, c] = [newId(), newId(), newId()];
  let one: Instance;

  beforeAll(async () => {
    const { instance } = await bench(clock);
    one = instance();
  });

  async function down(channels: string[]): Promise<Monitor> {
    const monitor = aMonitor({ createdAt: clock.at - 60_000, spec: { confirm: false, channels } });
    await one.config(monitor);
    await one.results(aResult({ monitorId: monitor.id, dueAt: clock.at - 20_000, down: 'status' }));
    return monitor;
  }

  async function change(monitor: Monitor, over: Partial<MonitorSpec>): Promise<Monitor> {
    const spec = { ...monitor.spec, ...over } as MonitorSpec;
    const changed = { ...monitor, revision: monitor.revision + 1, spec };
    await one.config(changed);
    return changed;
  }

  const up = ({ id }: Monitor): Promise<void> => one.results(aResult({ monitorId: id, dueAt: clock.at - 10_000 }));

  /** Each transition with its channels, in the order in which they were written. */
  async function said({ id }: Monitor): Promise<[string, string[]][]> {
    const rows = await one.database.query<{ payload: IncidentEvent }>(
      `SELECT payload FROM outbox WHERE payload->>'monitorId' = $1 AND payload->>'transition' IS NOT NULL
       ORDER BY ctid`,
      [id],
    );
    return rows.map(({ payload }) => [payload.transition, payload.channels]);
  }

  it('the end goes to the channels that heard the beginning, and an added one hears the beginning first', async () => {
    const monitor = await change(await down([a]), { channels: [b] });
    await up(monitor);
    expect(await said(monitor)).toEqual([
      ['opened', [a]],
      ['opened', [a, b]],
      ['resolved', [a, b]],
    ]);
  });

  it('an incident that nobody was told of is told to the first channel that its monitor is given', async () => {
    const monitor = await change(await down([]), { channels: [c] });
    await up(monitor);
    expect(await said(monitor)).toEqual([
      ['opened', []],
      ['opened', [c]],
      ['resolved', [c]],
    ]);
  });

  it('an acknowledgement goes to all of them, and so does the end when the monitor is deleted', async () => {
    const monitor = await change(await change(await down([a]), { channels: [a, b] }), { channels: [] });
    const [incident] = await one.incidentsOf(monitor);
    await one.commands.acknowledge({ id: String(incident?.['id']) }, { operationId: newId(), requestHash: 'x' });
    await one.config({ id: monitor.id, revision: 9, deleted: true });
    expect((await said(monitor)).slice(1)).toEqual([
      ['opened', [a, b]],
      ['opened', [a, b]],
      ['acknowledged', [a, b]],
      ['resolved', [a, b]],
    ]);
  });

  it('a pause that changes the channels as well ends the incident and opens nothing', async () => {
    const monitor = await change(await down([a]), { channels: [b], paused: true });
    expect(await said(monitor)).toEqual([
      ['opened', [a]],
      ['resolved', [a]],
    ]);
  });

  it('a worse incident is a new one: it is told to the present channels, and the end of the former to its own', async () => {
    const monitor = aMonitor({ createdAt: clock.at - 60_000, spec: { confirm: false, channels: [a] } });
    await one.config(monitor);
    const slow = {
      verdict: 'degraded',
      reason: 'response_time',
      message: 'slow',
      durationMs: 900,
      timings: {},
    } as const;
    await one.results(aResult({ monitorId: monitor.id, dueAt: clock.at - 20_000, finding: slow }));
    await change(await change(monitor, { channels: [a, b] }), { channels: [b] });
    await one.results(aResult({ monitorId: monitor.id, dueAt: clock.at - 10_000, down: 'status' }));
    expect((await said(monitor)).slice(-2)).toEqual([
      ['resolved', [a, b]],
      ['opened', [b]],
    ]);
  });

  it('changes that concern no channel, or no open incident, say nothing; the same channels in another order neither', async () => {
    const monitor = await change(await down([a, b]), { channels: [b, a], description: 'x' });
    await up(monitor);
    await change(monitor, { channels: [c] });
    expect(await said(monitor)).toEqual([
      ['opened', [a, b]],
      ['resolved', [a, b]],
    ]);
  });

  it('says who is reminded from now on, by which revision', async () => {
    const monitor = await change(await down([a]), { channels: [b] });
    const [row] = await one.database.query<{ payload: IncidentEvent }>(
      `SELECT payload FROM outbox WHERE payload->>'monitorId' = $1 AND payload->>'reminded' IS NOT NULL`,
      [monitor.id],
    );
    expect(row?.payload).toMatchObject({ state: 'down', reminded: { channels: [b], revision: monitor.revision } });
  });

  it('an incident of a version that did not note whom it told is told to the channels that it had', async () => {
    const monitor = await down([a]);
    await one.database.query('UPDATE incidents SET told = NULL WHERE monitor_id = $1', [monitor.id]);
    await up(await change(monitor, { channels: [b] }));
    expect((await said(monitor)).at(-1)).toEqual(['resolved', [a, b]]);
    const other = await down([c]);
    await one.database.query('UPDATE incidents SET told = NULL WHERE monitor_id = $1', [other.id]);
    await up(other);
    expect((await said(other)).at(-1)).toEqual(['resolved', [c]]);
  });

  it('who is added while the first opening is not confirmed is not forgotten with it', async () => {
    const monitor = await down([a]);
    await one.transitions.hurry();
    const asked = (await one.transitions.claim(100, 60_000)).filter(({ payload }) => payload.monitorId === monitor.id);
    await change(monitor, { channels: [b] });
    await one.transitions.forget(asked);
    await one.transitions.hurry();
    const left = (await one.transitions.claim(100, 60_000)).filter(({ payload }) => payload.monitorId === monitor.id);
    expect(left.map(({ payload }) => payload.channels)).toEqual([[a, b]]);
  });
});
