import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DecidedChange,
  type CheckResult,
  decide,
  type MonitorState,
  newState,
  pause,
  pressConfirmations,
  resume,
  type Rules,
  silence,
} from '../index.ts';

const START = 1_000_000_000_000;
const INTERVAL = 10_000;

const rules: fc.Arbitrary<Rules> = fc.record({
  locations: fc.constantFrom(['a'], ['a', 'b'], ['a', 'b', 'c']),
  quorum: fc.integer({ min: 1, max: 3 }),
  failureThreshold: fc.integer({ min: 1, max: 3 }),
  recoveryThreshold: fc.integer({ min: 1, max: 3 }),
  confirm: fc.boolean(),
  intervalMs: fc.constant(INTERVAL),
  timeoutMs: fc.constant(5_000),
});

const result: fc.Arbitrary<CheckResult> = fc
  .record({
    window: fc.integer({ min: 0, max: 12 }),
    location: fc.constantFrom('a', 'b', 'c'),
    attempt: fc.constantFrom(0, 0, 0, 1, 2, 1_001),
    verdict: fc.constantFrom('up' as const, 'down' as const, 'degraded' as const, undefined),
  })
  .map(({ verdict, ...of }) => ({
    ...of,
    dueAt: START + of.window * INTERVAL,
    startedAt: START + of.window * INTERVAL + of.attempt,
    prober: 'p',
    finding: verdict && { verdict, reason: verdict, message: verdict, durationMs: 3 },
  }));

type Step = CheckResult | 'pause' | 'resume' | 'silence' | 'press';
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: result, weight: 12 },
  { arbitrary: fc.constantFrom('pause' as const, 'resume' as const, 'silence' as const, 'press' as const), weight: 1 },
);

function run(of: Rules, steps: readonly Step[]): { state: MonitorState; changes: DecidedChange[] } {
  let state = newState('m', START);
  const changes: DecidedChange[] = [];
  const now = START + 13 * INTERVAL;
  for (const one of steps) {
    const decision =
      one === 'pause'
        ? pause(state, now)
        : one === 'resume'
          ? resume(state, now)
          : one === 'silence'
            ? silence(of, state, now + 100_000, 0)
            : one === 'press'
              ? pressConfirmations(of, state, now + 100_000, 0)
              : decide(of, state, one, now);
    state = decision.state;
    changes.push(...decision.changes);
  }
  return { state, changes };
}

/** Plays the changes of incidents back. @throws when one is opened twice, or beside another, or ends without having begun */
function openAfter(changes: readonly DecidedChange[]): string[] {
  let open: string | undefined;
  const seen = new Set<string>();
  for (const change of changes) {
    if (change.kind === 'state') continue;
    const opens = change.kind === 'opened';
    const fits = opens ? open === undefined && !seen.has(change.incidentId) : open === change.incidentId;
    if (!fits) throw new Error(`${change.kind} ${change.incidentId} while ${open ?? 'none'} is open`);
    if (opens) seen.add(change.incidentId);
    open = change.kind === 'resolved' ? undefined : change.incidentId;
  }
  return open === undefined ? [] : [open];
}

describe('decide, whatever comes in whatever order', () => {
  it('there is at most one open incident, each is opened once and resolved at most once, and the state says which', () => {
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 60 }), (of, steps) => {
        const { state, changes } = run(of, steps);
        expect(openAfter(changes)).toEqual(state.incident ? [state.incident.id] : []);
        const bad = ['down', 'degraded'].includes(state.state) || state.reason === 'no_results';
        expect(bad).toBe(state.incident !== undefined);
      }),
      { numRuns: 500 },
    );
  });

  it('folding everything a second time changes no due check’s evidence: a redelivery is never news', () => {
    fc.assert(
      fc.property(rules, fc.array(result, { maxLength: 40 }), (of, results) => {
        const due = results.filter(({ attempt }) => attempt === 0);
        const { state } = run(of, due);
        for (const again of due) {
          const decision = decide(of, state, again, START + 13 * INTERVAL);
          expect(decision.state).toBe(state);
          expect(decision.changes).toEqual([]);
          expect(decision.confirmations).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('the order in which a location’s old results arrive does not matter once its newest is folded', () => {
    fc.assert(
      fc.property(fc.array(result, { minLength: 1, maxLength: 20 }), (results) => {
        const of: Rules = { ...PLAIN };
        const mine = results.filter(({ location, attempt, finding }) => location === 'a' && attempt === 0 && finding);
        fc.pre(mine.length > 0);
        const newest = mine.reduce((a, b) => (b.dueAt > a.dueAt ? b : a));
        const { state } = run(of, [newest]);
        expect(run(of, [newest, ...mine]).state).toEqual(state);
      }),
    );
  });

  it('a missed result never changes anything', () => {
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 30 }), result, (of, steps, one) => {
        const { state } = run(of, steps);
        expect(decide(of, state, { ...one, finding: undefined }, START).state).toBe(state);
      }),
    );
  });

  it('a state is never older than the one before, and its times never lie in the future', () => {
    fc.assert(
      fc.property(rules, fc.array(result, { maxLength: 40 }), (of, results) => {
        const { changes } = run(of, results);
        const times = changes.map(({ at }) => at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        for (const at of times) expect(at).toBeLessThanOrEqual(START + 13 * INTERVAL);
      }),
    );
  });
});

const PLAIN: Rules = {
  locations: ['a'],
  quorum: 1,
  failureThreshold: 1,
  recoveryThreshold: 1,
  confirm: false,
  intervalMs: INTERVAL,
  timeoutMs: 5_000,
};
