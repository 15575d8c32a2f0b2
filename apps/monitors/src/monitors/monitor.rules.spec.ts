import { checkTask, type Monitor, monitorSpec, type MonitorSpecInput } from '@tocsin/contracts';
import { newId, TocsinError } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { gridSinceAfter, manualChecksOf } from './monitor.rules.ts';

function aMonitor(over: Partial<MonitorSpecInput> = {}): Monitor {
  const input = { kind: 'http', name: 'site', interval: '10s', settings: { url: 'http://127.0.0.1/' }, ...over };
  const spec = monitorSpec.parse(input);
  return { id: newId(), revision: 3, createdAt: 1000, updatedAt: 2000, gridSince: 1000, spec };
}

describe('gridSinceAfter', () => {
  const before = aMonitor();
  const changed = (over: object): Monitor['spec'] => ({ ...before.spec, ...over }) as Monitor['spec'];
  it.each([
    ['the name', { name: 'other' }, 1000],
    ['the same interval written otherwise', { interval: '10000ms' }, 1000],
    ['the interval', { interval: '20s' }, 9000],
    ['the locations', { locations: ['default', 'two'] }, 9000],
    ['a pause', { paused: true }, 1000],
  ])('after a change of %s', (_, over, expected) => {
    expect(gridSinceAfter(before, changed(over), 9000)).toBe(expected);
  });

  it('begins anew when the monitor is resumed', () => {
    expect(gridSinceAfter({ ...before, spec: changed({ paused: true }) }, before.spec, 9000)).toBe(9000);
  });
});

describe('a manual check', () => {
  it('is one task per location, named by the operation', () => {
    const monitor = aMonitor({ locations: ['a', 'b'] } as Partial<MonitorSpecInput>);
    const [a, b] = manualChecksOf(monitor, 'operation-1', 50_000);
    expect([a?.subject, b?.subject]).toEqual([`checks.a.${monitor.id}`, `checks.b.${monitor.id}`]);
    const task = checkTask.parse(a?.payload);
    expect(task.attempt).toBeGreaterThanOrEqual(1000);
    expect(task.dueAt).toBeLessThanOrEqual(50_000);
    expect(task.expiresAt).toBe(60_000);
    expect(manualChecksOf(monitor, 'operation-1', 50_000)).toEqual([a, b]);
    expect(manualChecksOf(monitor, 'operation-2', 50_000)[0]?.id).not.toBe(a?.id);
  });

  it('is refused for a heartbeat and for a paused monitor', () => {
    const beat = {
      ...aMonitor(),
      spec: monitorSpec.parse({ kind: 'heartbeat', name: 'h', settings: { schedule: { every: '1m' } } }),
    };
    expect(() => manualChecksOf(beat, 'o', 0)).toThrow(TocsinError);
    expect(() => manualChecksOf(aMonitor({ paused: true }), 'o', 0)).toThrow(/paused/);
  });
});
