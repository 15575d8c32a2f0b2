import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideOverdue,
  decidePing,
  expectedAfter,
  newState,
  overdueAt,
  pause,
  type Ping,
  type HeartbeatState,
  type HeartbeatDecision,
} from '../index.ts';

const START = 1_000_000_000_000;
const RULES = { failureThreshold: 1, recoveryThreshold: 1, graceMs: 1_000, next: (after: number) => after + 10_000 };

function ping(at: number, over: Partial<Ping> = {}): Ping {
  return { pingId: `p${at}`, signal: 'success', receivedAt: START + at, publishedAt: START + at, ...over };
}

describe('heartbeats', () => {
  const fresh = newState('m', START);
  const first = decidePing(RULES, fresh, {}, ping(0));

  it('nothing is expected before the first ping, which starts the schedule', () => {
    expect(decideOverdue(RULES, fresh, {}, START + 1e9)).toMatchObject({ windows: [], changes: [] });
    expect(overdueAt(RULES, {})).toBeUndefined();
    expect(first).toMatchObject({ state: { state: 'up' }, heartbeat: { expectedAt: START + 10_000 } });
  });

  it('a ping is expected a period after the last one, and overdue after the grace', () => {
    expect(decideOverdue(RULES, first.state, first.heartbeat, START + 11_000).windows).toEqual([]);
    const late = decideOverdue(RULES, first.state, first.heartbeat, START + 11_001);
    expect(late.windows).toMatchObject([{ dueAt: START + 10_000, outcome: 'missed' }]);
    expect(late.changes.map(({ kind }) => kind)).toEqual(['state', 'opened']);
  });

  it('each expected ping that does not come is a missed window, and one incident in all', () => {
    const late = decideOverdue(RULES, first.state, first.heartbeat, START + 35_000);
    expect(late.windows.map(({ dueAt }) => dueAt - START)).toEqual([10_000, 20_000, 30_000]);
    expect(late.changes.filter(({ kind }) => kind === 'opened')).toHaveLength(1);
    expect(late.state.message).toBe('heartbeat: overdue by 25s');
  });

  it('the same ping again, and an older one, change nothing', () => {
    const again = decidePing(RULES, first.state, first.heartbeat, ping(0));
    expect(again).toMatchObject({ state: first.state, heartbeat: first.heartbeat, windows: [], folded: 'outdated' });
    expect(decidePing(RULES, first.state, first.heartbeat, ping(-5)).windows).toEqual([]);
  });

  it('a failure counts at once, whatever the threshold', () => {
    const failed = decidePing(
      { ...RULES, failureThreshold: 5 },
      first.state,
      first.heartbeat,
      ping(5, { signal: 'fail' }),
    );
    expect(failed.state).toMatchObject({ state: 'down', message: 'heartbeat: reported a failure' });
  });

  it('overdue pings count towards the failure threshold', () => {
    const patient = { ...RULES, failureThreshold: 2 };
    expect(decideOverdue(patient, first.state, first.heartbeat, START + 12_000).state.state).toBe('up');
    expect(decideOverdue(patient, first.state, first.heartbeat, START + 22_000).state.state).toBe('down');
  });

  it('a started job must end within the grace; its success says how long it took', () => {
    const started = decidePing(RULES, first.state, first.heartbeat, ping(2_000, { signal: 'start' }));
    expect(overdueAt(RULES, started.heartbeat)).toBe(START + 3_000);
    expect(decidePing(RULES, started.state, started.heartbeat, ping(2_700)).windows).toMatchObject([
      { durationMs: 700 },
    ]);
    const stuck = decideOverdue(RULES, started.state, started.heartbeat, START + 3_001);
    expect(stuck.state.message).toContain('did not finish');
  });

  it('while it is paused nothing counts', () => {
    const paused = pause(first.state, START).state;
    const heartbeat: HeartbeatState = first.heartbeat;
    expect(decidePing(RULES, paused, heartbeat, ping(9, { signal: 'fail' })).changes).toEqual([]);
    expect(decideOverdue(RULES, paused, heartbeat, START + 1e6).windows).toEqual([]);
  });
});

describe('runs with an id', () => {
  const fresh: Pick<HeartbeatDecision, 'state' | 'heartbeat'> = { state: newState('m', START), heartbeat: {} };
  const rules = { ...RULES, next: (after: number) => after + 1e9 };
  /** Folds pings in their order, with a look at what is overdue before each. */
  const play = (pings: Ping[], now: number): HeartbeatDecision => {
    let last = decideOverdue(rules, fresh.state, fresh.heartbeat, START);
    const windows: HeartbeatDecision['windows'] = [];
    for (const one of [...pings, undefined]) {
      const overdue = decideOverdue(rules, last.state, last.heartbeat, one?.receivedAt ?? START + now);
      last = one ? decidePing(rules, overdue.state, overdue.heartbeat, one) : overdue;
      windows.push(...overdue.windows, ...(one ? last.windows : []));
    }
    return { ...last, windows };
  };
  const start = (at: number, rid: string): Ping => ping(at, { signal: 'start', rid });
  const end = (at: number, rid?: string): Ping => ping(at, { rid });

  it('one that hangs beside one that ends is noticed: after the grace since its own start', () => {
    const pings = [start(0, 'a'), start(400, 'b'), end(600, 'b')];
    expect(play(pings, 1_000).state.state).toBe('up');
    expect(play(pings, 1_001)).toMatchObject({
      state: { state: 'down', message: 'heartbeat: run a started and did not finish in time' },
      windows: [
        { verdict: 'up', durationMs: 200 },
        { outcome: 'missed', dueAt: START },
      ],
    });
    // It is told of once, and the schedule goes on as the run that ended has it.
    expect(play(pings, 50_000).windows).toHaveLength(2);
    expect(play(pings, 50_000).heartbeat).toMatchObject({ expectedAt: START + 600 + 1e9 });
  });

  it('the end of one is not that of another, nor of the run without an id', () => {
    expect(play([ping(0, { signal: 'start' }), start(1, 'b'), end(9, 'b')], 1_001).state.message).toContain('started');
    expect(play([start(0, 'a'), end(9)], 1_001).state.message).toContain('run a');
    expect(play([start(0, 'a'), ping(9, { signal: 'fail', rid: 'a' })], 9_999).windows).toHaveLength(1);
  });

  it('an end whose start is not known ends the run without an id: an instance of before took the start for that', () => {
    expect(play([ping(0, { signal: 'start' }), end(9, 'a')], 9_999)).toMatchObject({ state: { state: 'up' } });
  });

  it('a ping that an instance of before has folded may have been the end of any run', () => {
    const { state, heartbeat } = play([start(0, 'a')], 1);
    const folded = { ...heartbeat, lastPingId: 'theirs', lastPingAt: START + 5 };
    expect(overdueAt(RULES, folded)).toBeUndefined();
    expect(decidePing(rules, state, folded, start(6, 'b')).heartbeat.runs?.open).toEqual([{ rid: 'b', at: START + 6 }]);
  });

  it('an end that comes late still ends its run, and a start that is given out again does not begin it', () => {
    const { state, heartbeat } = play([start(0, 'a'), start(7, 'b')], 7);
    const late = decidePing(rules, state, heartbeat, end(3, 'a'));
    expect(late.folded).toBe('outdated');
    expect(late.heartbeat.runs?.open.map(({ rid }) => rid)).toEqual(['b']);
    expect(decidePing(rules, state, late.heartbeat, start(0, 'a')).heartbeat).toBe(late.heartbeat);
  });

  it('each run that outlasts the grace is told of once, whatever begins and ends beside it', () => {
    const run = fc.record({ at: fc.nat(3_000), took: fc.option(fc.nat(2_500), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 15 }), (runs) => {
        const pings = runs.flatMap(({ at, took }, n) => [
          ping(at, { pingId: `s${n}`, signal: 'start', rid: `${n}` }),
          ...(took === undefined ? [] : [ping(at + took, { pingId: `e${n}`, rid: `${n}` })]),
        ]);
        const ordered = pings.toSorted((a, b) => a.receivedAt - b.receivedAt);
        const hung = runs.flatMap(({ took }, n) => (took === undefined || took > RULES.graceMs ? [n] : []));
        const told = play(ordered, 9_999).windows.filter(({ message }) => message.startsWith('heartbeat: run '));
        expect(told.map(({ message }) => Number(message.split(' ')[2])).toSorted((a, b) => a - b)).toEqual(hung);
      }),
    );
  });

  it('are bounded: beyond twenty open ones the newest are not followed', () => {
    const many = Array.from({ length: 30 }, (_, n) => start(n, `${n}`));
    expect(play(many, 30).heartbeat.runs?.open.map(({ at }) => at - START)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    );
  });
});

describe('a ping of a host whose clock is ahead', () => {
  const HOUR = 3_600_000;
  /** A cron expression's times: every full hour. */
  const hourly = {
    ...RULES,
    graceMs: 5 * 60_000,
    byClock: true,
    next: (after: number) => (Math.floor(after / HOUR) + 1) * HOUR,
  };
  const at = (text: string): number => Date.parse(`2026-01-01T${text}Z`);

  it.each<[string, string | undefined, string, string]>([
    ['11:59:58', '12:00:00', '13:00:00', 'just before it is due'],
    ['11:59:58', undefined, '13:00:00', 'the first one, just before a time'],
    ['11:58:59', '12:00:00', '12:00:00', 'more than a minute before'],
    ['11:30:00', '12:00:00', '12:00:00', 'long before'],
    ['12:00:01', '12:00:00', '13:00:00', 'after it was due'],
    ['12:59:58', '12:00:00', '13:00:00', 'so late that the next one is due'],
  ])('%s, expected at %s: the next one is expected at %s (%s)', (pinged, expected, next, _why) => {
    expect(expectedAfter(hourly, at(pinged), expected === undefined ? undefined : at(expected))).toBe(at(next));
  });

  it('the bound is the grace, and a tenth of the period, where these are less', () => {
    const early = (rules: typeof hourly, ms: number) => expectedAfter(rules, at('12:00:00') - ms, at('12:00:00'));
    expect(early({ ...hourly, graceMs: 1_000 }, 1_001)).toBe(at('12:00:00'));
    expect(early({ ...hourly, graceMs: 1_000 }, 1_000)).toBe(at('13:00:00'));
    const minutely = { ...hourly, next: (after: number) => (Math.floor(after / 60_000) + 1) * 60_000 };
    expect(early(minutely, 6_001)).toBe(at('12:00:00'));
    expect(early(minutely, 6_000)).toBe(at('12:01:00'));
  });

  it('where each is a period after the last, it is as it was', () => {
    expect(expectedAfter(RULES, START + 9_999, START + 10_000)).toBe(START + 19_999);
  });

  it('always a little early is never overdue, and silence is noticed within one more period and the grace', () => {
    const bits = fc.record({ ahead: fc.integer({ min: 1, max: 60_000 }), pings: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(bits, ({ ahead, pings }) => {
        let { state, heartbeat } = { state: newState('m', 0), heartbeat: {} as HeartbeatState };
        for (let n = 1; n <= pings; n++) {
          const receivedAt = n * HOUR - ahead;
          expect(decideOverdue(hourly, state, heartbeat, receivedAt).windows).toEqual([]);
          const of: Ping = { pingId: `${n}`, signal: 'success', receivedAt, publishedAt: n * HOUR };
          ({ state, heartbeat } = decidePing(hourly, state, heartbeat, of));
        }
        const noticed = (pings + 1) * HOUR + hourly.graceMs + 1;
        expect(decideOverdue(hourly, state, heartbeat, noticed - 1).windows).toEqual([]);
        expect(decideOverdue(hourly, state, heartbeat, noticed).state.state).toBe('down');
      }),
    );
  });
});

describe('pings that come through gateways whose clocks differ', () => {
  const fresh = decidePing(RULES, newState('m', START), {}, ping(0));
  /** One that the broker took at a time, from a gateway whose clock is ahead by so much, or behind. */
  const through = (clock: number, at: number, over: Partial<Ping> = {}): Ping =>
    ping(at, { receivedAt: START + at + clock, ...over });

  it('count in the order in which the broker took them: a failure is not lost behind its start', () => {
    const started = decidePing(RULES, fresh.state, fresh.heartbeat, through(30_000, 100, { signal: 'start' }));
    const failed = decidePing(RULES, started.state, started.heartbeat, through(0, 600, { signal: 'fail' }));
    expect(failed.state.state).toBe('down');
    const ended = decidePing(RULES, started.state, started.heartbeat, through(0, 600));
    expect(ended).toMatchObject({ folded: 'evidence', windows: [{ verdict: 'up', durationMs: 0 }] });
    expect(ended.heartbeat.startedAt).toBeUndefined();
  });

  it('count once each, and each that is given out again is outdated', () => {
    const one = fc.record({ clock: fc.integer({ min: -30_000, max: 30_000 }), after: fc.integer({ min: 1, max: 5_000 }), signal: fc.constantFrom('success' as const, 'start' as const, 'fail' as const) }); // prettier-ignore
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20 }), (all) => {
        let at = 60_000;
        const pings = all.map(({ clock, after, signal }) => through(clock, (at += after), { signal }));
        let last: Pick<HeartbeatDecision, 'state' | 'heartbeat'> = fresh;
        for (const each of pings) {
          const decision = decidePing(RULES, last.state, last.heartbeat, each);
          expect(decision.folded).toBe('evidence');
          last = decision;
        }
        for (const each of pings) {
          const { state, heartbeat } = last;
          expect(decidePing(RULES, state, heartbeat, each)).toMatchObject({
            state,
            heartbeat,
            folded: 'outdated',
            windows: [],
          });
        }
      }),
    );
  });

  it('one that was received a minute before the newest, and is published again today, is outdated', () => {
    const { state, heartbeat } = decidePing(RULES, fresh.state, fresh.heartbeat, ping(60_002));
    const again = ping(70_000, { receivedAt: START + 1, signal: 'fail' });
    expect(decidePing(RULES, state, heartbeat, again)).toMatchObject({ state, heartbeat, folded: 'outdated' });
  });

  it('beside an instance of the version before, which notes the gateway’s time alone, they count in the order of that', () => {
    const { state, heartbeat } = fresh;
    const theirs = { ...heartbeat, lastPingId: 'theirs', lastPingAt: START + 500 };
    expect(decidePing(RULES, state, theirs, ping(400)).folded).toBe('outdated');
    expect(decidePing(RULES, state, theirs, ping(600)).folded).toBe('evidence');
  });
});
