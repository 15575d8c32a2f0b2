import { monitorSpec, type Monitor, type MonitorSpecInput, type Result } from '@tocsin/contracts';
import { durationMs, newId } from '@tocsin/core';

type HttpSpecInput = Extract<MonitorSpecInput, { kind: 'http' }>;

/** A monitor's record as `monitors` would keep it; `spec` overrides fields of an HTTP monitor of example.org. */
export function aMonitor(overrides: Partial<Omit<Monitor, 'spec'>> & { spec?: Partial<HttpSpecInput> } = {}): Monitor {
  const { spec, ...record } = overrides;
  const createdAt = record.createdAt ?? Date.now();
  return {
    id: newId(),
    revision: 1,
    createdAt,
    updatedAt: createdAt,
    gridSince: createdAt,
    ...record,
    spec: monitorSpec.parse({
      kind: 'http',
      name: 'An example',
      interval: '10s',
      settings: { url: 'http://example.org/' },
      ...spec,
    }),
  };
}

/** A monitor of any kind, from its whole specification. */
export function aMonitorOf(spec: MonitorSpecInput, record: Partial<Omit<Monitor, 'spec'>> = {}): Monitor {
  return { ...aMonitor(record), spec: monitorSpec.parse(spec) };
}

/** A result of attempt 0 that ran in time and found it up; `down` gives a finding with that reason instead. */
export function aResult(overrides: Partial<Result> & { down?: string } = {}): Result {
  const { down, ...given } = overrides;
  const dueAt = given.dueAt ?? Date.now();
  return {
    monitorId: newId(),
    revision: 1,
    window: Math.floor(dueAt / durationMs('10s')),
    location: 'default',
    attempt: 0,
    dueAt,
    outcome: 'ran',
    startedAt: dueAt + 5,
    prober: 'prober-1',
    finding: {
      verdict: down === undefined ? 'up' : 'down',
      reason: down ?? 'ok',
      message: down === undefined ? 'status 200' : `it is down: ${down}`,
      durationMs: 12,
      timings: {},
    },
    ...given,
  };
}
