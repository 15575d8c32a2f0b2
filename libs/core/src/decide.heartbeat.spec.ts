import { describe, expect, it } from 'vitest';
import { decideOverdue, decidePing, newState, overdueAt, pause, type Ping, type Pulse } from './index.ts';

const START = 1_000_000_000_000;
const RULES = { failureThreshold: 1, recoveryThreshold: 1, graceMs: 1_000, next: (after: number) => after + 10_000 };

function ping(at: number, over: Partial<Ping> = {}): Ping {
  return { pingId: `p${at}`, signal: 'success', receivedAt: START + at, ...over };
}

describe('heartbeats', () => {
  const fresh = newState('m', START);
  const first = decidePing(RULES, fresh, {}, ping(0));

  it('nothing is expected before the first ping, which starts the schedule', () => {
    expect(decideOverdue(RULES, fresh, {}, START + 1e9)).toMatchObject({ windows: [], changes: [] });
    expect(overdueAt(RULES, {})).toBeUndefined();
    expect(first).toMatchObject({ state: { state: 'up' }, pulse: { expectedAt: START + 10_000 } });
  });

  it('a ping is expected a period after the last one, and overdue after the grace', () => {
    expect(decideOverdue(RULES, first.state, first.pulse, START + 11_000).windows).toEqual([]);
    const late = decideOverdue(RULES, first.state, first.pulse, START + 11_001);
    expect(late.windows).toMatchObject([{ dueAt: START + 10_000, outcome: 'missed' }]);
    expect(late.changes.map(({ kind }) => kind)).toEqual(['state', 'opened']);
  });

  it('each expected ping that does not come is a missed window, and one incident in all', () => {
    const late = decideOverdue(RULES, first.state, first.pulse, START + 35_000);
    expect(late.windows.map(({ dueAt }) => dueAt - START)).toEqual([10_000, 20_000, 30_000]);
    expect(late.changes.filter(({ kind }) => kind === 'opened')).toHaveLength(1);
    expect(late.state.message).toBe('heartbeat: overdue by 25s');
  });

  it('the same ping again, and an older one, change nothing', () => {
    const again = decidePing(RULES, first.state, first.pulse, ping(0));
    expect(again).toMatchObject({ state: first.state, pulse: first.pulse, windows: [], folded: 'outdated' });
    expect(decidePing(RULES, first.state, first.pulse, ping(-5)).windows).toEqual([]);
  });

  it('a failure counts at once, whatever the threshold', () => {
    const failed = decidePing({ ...RULES, failureThreshold: 5 }, first.state, first.pulse, ping(5, { signal: 'fail' }));
    expect(failed.state).toMatchObject({ state: 'down', message: 'heartbeat: reported a failure' });
  });

  it('overdue pings count towards the failure threshold', () => {
    const patient = { ...RULES, failureThreshold: 2 };
    expect(decideOverdue(patient, first.state, first.pulse, START + 12_000).state.state).toBe('up');
    expect(decideOverdue(patient, first.state, first.pulse, START + 22_000).state.state).toBe('down');
  });

  it('a started job must end within the grace; its success says how long it took', () => {
    const started = decidePing(RULES, first.state, first.pulse, ping(2_000, { signal: 'start' }));
    expect(overdueAt(RULES, started.pulse)).toBe(START + 3_000);
    expect(decidePing(RULES, started.state, started.pulse, ping(2_700)).windows).toMatchObject([{ durationMs: 700 }]);
    const stuck = decideOverdue(RULES, started.state, started.pulse, START + 3_001);
    expect(stuck.state.message).toContain('did not finish');
  });

  it('while it is paused nothing counts', () => {
    const paused = pause(first.state, START).state;
    const pulse: Pulse = first.pulse;
    expect(decidePing(RULES, paused, pulse, ping(9, { signal: 'fail' })).changes).toEqual([]);
    expect(decideOverdue(RULES, paused, pulse, START + 1e6).windows).toEqual([]);
  });
});
