import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlainIncident, PlainModel, SEVERITIES } from '../../test/plain-model.ts';
import {
  type DecidedChange,
  type CheckResult,
  decide,
  MANUAL_ATTEMPTS_FROM,
  type MonitorState,
  newState,
  NO_RESULTS,
  pause,
  pressConfirmations,
  resume,
  rewatch,
  type Rules,
  silence,
} from '../index.ts';

const START = 1_000_000_000_000;
const INTERVAL = 10_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

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
    revision: fc.integer({ min: 1, max: 3 }),
    window: fc.integer({ min: 0, max: 9 }),
    location: fc.constantFrom('a', 'b', 'c'),
    attempt: fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3, 1_001, 1_002),
    verdict: fc.constantFrom('up' as const, 'down' as const, 'down' as const, 'degraded' as const, undefined),
    took: fc.integer({ min: 0, max: 4_999 }),
    /** How far the clock of its prober is behind. */
    behind: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.nat(2 * MINUTE), weight: 1 }),
  })
  .map(({ verdict, took, behind, ...of }) => ({
    ...of,
    dueAt: START + of.window * INTERVAL,
    startedAt: START + of.window * INTERVAL + (of.attempt % 1_000) - behind,
    prober: 'p',
    finding: verdict && { verdict, reason: verdict, message: verdict, durationMs: took },
  }));

/** One result per key, as the record has it: the same check never says two things. */
const results = fc.uniqueArray(result, {
  maxLength: 40,
  size: 'max',
  selector: ({ window, location, attempt }) => `${window} ${location} ${attempt}`,
});

type Act = 'pause' | 'resume' | 'silence' | 'press' | 'press after a cut' | 'rewatch 2' | 'rewatch 3';
const ACTS: readonly Act[] = ['pause', 'resume', 'silence', 'press', 'press after a cut', 'rewatch 2', 'rewatch 3'];
/** How long before it is pressed the road was opened again, where it was cut. */
const OPEN_MS = 5_000;
/** What is folded, and how far the clock has stepped, forwards or back, since the act before it. */
type Step = { does: CheckResult | Act; clock: number };

const clock = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: INTERVAL }), weight: 8 },
  { arbitrary: fc.integer({ min: -HOUR, max: HOUR }), weight: 1 },
);

/**
 * Batches in any order, each folded once, or wholly or in part and then again (its instance was killed before it could
 * say so), and again at some later time (the broker gives it out once more); between them what people and sweeps do.
 */
function script(of: fc.Arbitrary<CheckResult[]>, acts: readonly Act[]): fc.Arbitrary<Step[]> {
  return of
    .chain((all) =>
      fc.record({
        order: fc.shuffledSubarray(all, { minLength: all.length }),
        again: fc.array(fc.record({ from: fc.nat(40), size: fc.integer({ min: 1, max: 10 }), at: fc.nat(60) }), {
          maxLength: 4,
          size: 'max',
        }),
        acts:
          acts.length === 0
            ? fc.constant([])
            : fc.array(fc.tuple(fc.constantFrom(...acts), fc.nat(60)), { maxLength: 6, size: 'max' }),
      }),
    )
    .map(({ order, again, acts: done }) => {
      const steps: (CheckResult | Act)[] = [...order];
      for (const { from, size, at } of again)
        steps.splice(Math.max(at, from + size), 0, ...order.slice(from, from + size));
      for (const [act, at] of done) steps.splice(at, 0, act);
      return steps;
    })
    .chain((steps) =>
      fc
        .array(clock, { minLength: steps.length, maxLength: steps.length })
        .map((clocks) => steps.map((does, n) => ({ does, clock: clocks[n]! }))),
    );
}

interface Run {
  state: MonitorState;
  changes: DecidedChange[];
  model: PlainModel;
}

function run(of: Rules, steps: readonly Step[]): Run {
  let state = newState('m', START);
  const model = new PlainModel(of, START);
  const changes: DecidedChange[] = [];
  let now = START;
  for (const { does, clock: step } of steps) {
    now = Math.max(START, now + step);
    const decision = act(of, state, does, now);
    if (does === 'pause') model.pause(now);
    else if (does === 'resume') model.resume(now);
    else if (does === 'silence') model.silence(now);
    else if (does === 'press') model.press(now, 0);
    else if (does === 'press after a cut') model.press(now, now - OPEN_MS);
    else if (typeof does === 'string') model.rewatch(revisionOf(does), now);
    else model.result(does, now);
    state = decision.state;
    changes.push(...decision.changes);
  }
  return { state, changes, model };
}

function act(of: Rules, state: MonitorState, does: CheckResult | Act, now: number) {
  if (does === 'pause') return pause(state, now);
  if (does === 'resume') return resume(state, now);
  if (does === 'silence') return silence(of, state, now, 0);
  if (does === 'press') return pressConfirmations(of, state, now, 0);
  if (does === 'press after a cut') return pressConfirmations(of, state, now, now - OPEN_MS);
  return typeof does === 'string' ? rewatch(state, revisionOf(does), now) : decide(of, state, does, now);
}

function revisionOf(does: 'rewatch 2' | 'rewatch 3'): number {
  return does === 'rewatch 2' ? 2 : 3;
}

/** The incidents that the changes tell of. */
function told(changes: readonly DecidedChange[]): PlainIncident[] {
  const all = new Map<string, PlainIncident>();
  for (const change of changes) {
    if (change.kind === 'opened') {
      all.set(change.incidentId, { openedAt: change.at, worst: SEVERITIES[wordOf(change)]! });
    } else if (change.kind === 'resolved') all.get(change.incidentId)!.resolvedAt = change.at;
  }
  return [...all.values()];
}

function wordOf({ state, reason }: { state: string; reason: string }): string {
  if (state !== 'unknown') return state;
  return reason === NO_RESULTS ? 'silent' : 'new';
}

function seen({ state, changes }: Run): unknown {
  return { state: wordOf(state), since: state.since, incidents: told(changes) };
}

function foreseen({ model: { state, since, incidents } }: Run): unknown {
  return { state, since, incidents };
}

describe('decide and the plain model', () => {
  it('agree on every state and incident: whatever is reordered, folded twice or in part, and however the clock steps', () => {
    fc.assert(
      fc.property(rules, script(results, ACTS), (of, steps) => {
        const done = run(of, steps);
        expect(seen(done)).toEqual(foreseen(done));
      }),
      { numRuns: 1_000 },
    );
  });

  it('whatever was counted changes nothing when it is delivered again, also after a silence or a pause', () => {
    const asked = results.map((all) => all.filter(({ attempt }) => attempt < MANUAL_ATTEMPTS_FROM));
    fc.assert(
      fc.property(rules, script(asked, ['pause', 'resume', 'silence', 'press']), fc.nat(HOUR), (of, steps, later) => {
        const counted: CheckResult[] = [];
        let state = newState('m', START);
        let now = START;
        for (const { does, clock: step } of steps) {
          now = Math.max(START, now + step);
          const decision = act(of, state, does, now);
          if (typeof does === 'object' && ['evidence', 'confirmation'].includes(decision.folded)) counted.push(does);
          state = decision.state;
        }
        for (const again of counted) {
          expect(decide(of, state, again, now + later)).toMatchObject({ changes: [], confirmations: [] });
          expect(decide(of, state, again, now + later).state).toBe(state);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('with thresholds of one, a location says what its newest result says, in whatever order they came', () => {
    fc.assert(
      fc.property(script(results, []), (steps) => {
        const of: Rules = { ...ALONE, intervalMs: INTERVAL };
        const said = steps.map(({ does }) => does as CheckResult).filter((one) => one.location === 'a' && one.finding);
        const evidence = said.filter(({ attempt }) => attempt === 0 || attempt >= MANUAL_ATTEMPTS_FROM);
        const newest = evidence.toSorted((a, b) => a.dueAt - b.dueAt || a.attempt - b.attempt).at(-1);
        expect(run(of, steps).state.state).toBe(newest?.finding?.verdict ?? 'unknown');
      }),
      { numRuns: 300 },
    );
  });
});

const ALONE = {
  locations: ['a'],
  quorum: 1,
  failureThreshold: 1,
  recoveryThreshold: 1,
  confirm: false,
  timeoutMs: 5_000,
};
