import { describe, expect, it } from 'vitest';
import {
  type DecidedChange,
  type CheckResult,
  confirmationOverdueAt,
  decide,
  type Decision,
  MANUAL_ATTEMPTS_FROM,
  type MonitorState,
  newState,
  pause,
  pressConfirmations,
  remove,
  resume,
  type Rules,
  silence,
} from '../index.ts';

const RULES: Rules = {
  locations: ['a'],
  quorum: 1,
  failureThreshold: 1,
  recoveryThreshold: 1,
  confirm: false,
  intervalMs: 10_000,
  timeoutMs: 5_000,
};
const THREE: Rules = { ...RULES, locations: ['a', 'b', 'c'] };
const START = 1_000_000_000_000;

type Verdict = 'up' | 'down' | 'degraded' | 'missed';

function result(n: number, verdict: Verdict, over: Partial<CheckResult> = {}): CheckResult {
  const dueAt = START + n * 10_000;
  const found =
    verdict === 'missed' ? undefined : { verdict, reason: verdict, message: `it is ${verdict}`, durationMs: 10 };
  return { window: n, location: 'a', attempt: 0, dueAt, startedAt: dueAt + 5, prober: 'p1', finding: found, ...over };
}

function fold(rules: Rules, results: readonly CheckResult[], from: MonitorState = newState('m', START - 1)) {
  let state = from;
  const changes: DecidedChange[] = [];
  let last: Decision | undefined;
  for (const one of results) {
    last = decide(rules, state, one, one.dueAt + 1_000);
    state = last.state;
    changes.push(...last.changes);
  }
  return { state, changes: changes.map(({ kind }) => kind), last: last! };
}

describe('decide', () => {
  it('a new monitor is unknown, without an incident, until its first result', () => {
    expect(fold(RULES, []).state).toMatchObject({ state: 'unknown', incidents: 0 });
    expect(fold(RULES, [result(0, 'up')])).toMatchObject({ state: { state: 'up' }, changes: ['state'] });
  });

  it('a failure opens an incident and a success resolves it', () => {
    const { state, changes } = fold(RULES, [result(0, 'up'), result(1, 'down'), result(2, 'down'), result(3, 'up')]);
    expect(changes).toEqual(['state', 'state', 'opened', 'state', 'resolved']);
    expect(state.incident).toBeUndefined();
  });

  it('as many windows in a row must fail, and succeed, as the thresholds say', () => {
    const rules = { ...RULES, failureThreshold: 3, recoveryThreshold: 2 };
    const down = fold(rules, [
      result(0, 'up'),
      result(1, 'down'),
      result(2, 'down'),
      result(3, 'up'),
      result(4, 'down'),
    ]);
    expect(down.state.state).toBe('up');
    const opened = fold(rules, [result(5, 'down'), result(6, 'down'), result(7, 'up'), result(8, 'down')], down.state);
    expect(opened.state.state).toBe('down');
    expect(fold(rules, [result(9, 'up'), result(10, 'up')], opened.state).state.state).toBe('up');
  });

  it('the same result again, and an older one, change nothing', () => {
    const { state } = fold(RULES, [result(0, 'up'), result(2, 'down')]);
    expect(decide(RULES, state, result(2, 'down'), START)).toMatchObject({ state, folded: 'outdated', changes: [] });
    expect(decide(RULES, state, result(1, 'up'), START)).toMatchObject({ state, folded: 'outdated', changes: [] });
  });

  it('a missed result is evidence of nothing: neither of success nor of failure', () => {
    const { state } = fold(RULES, [result(0, 'down')]);
    expect(decide(RULES, state, result(1, 'missed'), START)).toMatchObject({ state, folded: 'missed', changes: [] });
  });

  it('a result from a location that is not its own counts for nothing', () => {
    const { state, last } = fold(RULES, [result(0, 'down', { location: 'elsewhere' })]);
    expect(last.folded).toBe('other_location');
    expect(state.state).toBe('unknown');
  });

  it('what a person asks for counts as evidence, after the due check of its window', () => {
    const manual = result(0, 'up', { attempt: MANUAL_ATTEMPTS_FROM + 1 });
    expect(fold(RULES, [result(0, 'down'), manual]).state.state).toBe('up');
  });

  it('a degraded answer opens an incident that an outage supersedes, so that its alarm is heard', () => {
    const { state, changes } = fold(RULES, [result(0, 'degraded'), result(1, 'down')]);
    expect(changes).toEqual(['state', 'opened', 'state', 'resolved', 'opened']);
    const later = fold(RULES, [result(2, 'degraded'), result(3, 'down'), result(4, 'up')], state);
    expect(later.changes).toEqual(['state', 'changed', 'state', 'changed', 'state', 'resolved']);
  });
});

describe('confirmation', () => {
  const rules = { ...RULES, confirm: true };
  const asked = fold(rules, [result(0, 'up'), result(1, 'down')]);

  it('a first failure asks once for a check by another prober', () => {
    expect(asked.state.state).toBe('up');
    expect(asked.last.confirmations).toMatchObject([{ window: 1, attempt: 1, location: 'a', avoid: 'p1' }]);
    expect(decide(rules, asked.state, result(1, 'down'), START).confirmations).toEqual([]);
  });

  it('a confirmation that fails counts as the failure', () => {
    const { state, changes, last } = fold(rules, [result(1, 'down', { attempt: 1 })], asked.state);
    expect([state.state, last.folded]).toEqual(['down', 'confirmation']);
    expect(changes).toEqual(['state', 'opened']);
  });

  it('a confirmation that succeeds clears it, and the next failure is a first one again', () => {
    const { state } = fold(rules, [result(1, 'up', { attempt: 1 })], asked.state);
    expect(confirmationOverdueAt(rules, state)).toBeUndefined();
    expect(fold(rules, [result(2, 'down')], state).last.confirmations).toHaveLength(1);
  });

  it('an answer to a question that nobody asked counts for nothing', () => {
    const { last } = fold(rules, [result(0, 'down', { attempt: 1 })], asked.state);
    expect(last).toMatchObject({ folded: 'unasked', state: asked.state });
  });

  it('with several locations it is asked of the next one', () => {
    const { last } = fold({ ...THREE, confirm: true }, [result(0, 'down', { location: 'c' })]);
    expect(last.confirmations).toMatchObject([{ location: 'a' }]);
  });

  it('a failure that is not seen from elsewhere counts if the next window fails too', () => {
    const three = { ...THREE, confirm: true };
    const doubted = fold(three, [result(0, 'down'), result(0, 'up', { attempt: 1, location: 'b' })]);
    expect(doubted.state.state).not.toBe('down');
    const { state, last } = fold(three, [result(1, 'down')], doubted.state);
    expect([state.state, last.confirmations.length]).toEqual(['down', 0]);
  });

  it('the next window answers it too: a failure confirms, a success clears', () => {
    expect(fold(rules, [result(2, 'down')], asked.state).state.state).toBe('down');
    const cleared = fold(rules, [result(2, 'up')], asked.state);
    expect(cleared.state.state).toBe('up');
    expect(confirmationOverdueAt(rules, cleared.state)).toBeUndefined();
  });

  it('a manual check of the window stays folded when its failure is confirmed where it was found', () => {
    const manual = result(1, 'down', { attempt: MANUAL_ATTEMPTS_FROM + 1 });
    const { state } = fold(rules, [manual, result(1, 'down', { attempt: 1 })]);
    expect(fold(rules, [manual], state).state).toBe(state);
  });

  it('one that nobody answers is asked for again, and then the failure counts without it', () => {
    let { state } = asked;
    for (const attempt of [2, 3]) {
      const due = confirmationOverdueAt(rules, state)!;
      expect(pressConfirmations(rules, state, due - 1, 0)).toMatchObject({ state, confirmations: [] });
      const decision = pressConfirmations(rules, state, due, 0);
      expect(decision.confirmations).toMatchObject([{ attempt }]);
      state = decision.state;
    }
    const last = pressConfirmations(rules, state, confirmationOverdueAt(rules, state)!, 0);
    expect(last.state).toMatchObject({ state: 'down', message: expect.stringContaining('no prober') });
  });

  it('one that was asked for while no answer could come in is asked for once more, and says nothing by its absence', () => {
    let { state } = asked;
    const press = (openSince: number) => {
      const decision = pressConfirmations(rules, state, confirmationOverdueAt(rules, state)!, openSince);
      state = decision.state;
      return decision;
    };
    press(0);
    press(0);
    const away = confirmationOverdueAt(rules, state)!;
    expect(press(away)).toMatchObject({ state: { state: 'up' }, changes: [], confirmations: [{ attempt: 4 }] });
    expect(press(away)).toMatchObject({ state: { state: 'down' }, confirmations: [] });
  });
});

describe('quorum', () => {
  const rules = { ...THREE, quorum: 2 };
  const up = ['a', 'b', 'c'].map((location) => result(0, 'up', { location }));

  it('as many locations must agree that it is down as the quorum says', () => {
    const one = fold(rules, [...up, result(1, 'down', { location: 'a' })]);
    expect(one.state).toMatchObject({ state: 'up', message: expect.stringContaining('1 of 3') });
    const two = fold(rules, [result(1, 'down', { location: 'b' })], one.state);
    expect(two.state).toMatchObject({ state: 'down', message: expect.stringContaining('2 of 3') });
  });

  it('a location that fell silent neither blames nor excuses', () => {
    const before = fold(rules, [...up, result(1, 'down', { location: 'a' }), result(1, 'down', { location: 'b' })]);
    const later = [10, 11, 12].map((n) => result(n, 'up', { location: 'c' }));
    expect(fold(rules, later, before.state).state.state).toBe('up');
  });
});

describe('the life of a monitor', () => {
  const down = fold(RULES, [result(0, 'up'), result(1, 'down')]).state;
  const now = START + 20_000;

  it('pausing resolves its incident, and nothing counts until it is resumed', () => {
    const paused = pause(down, now);
    expect(paused.changes.map(({ kind }) => kind)).toEqual(['state', 'resolved']);
    expect(decide(RULES, paused.state, result(3, 'down'), now)).toMatchObject({ folded: 'paused', changes: [] });
    expect(resume(paused.state, now).state).toMatchObject({ state: 'unknown', reason: 'resumed', expectedSince: now });
    expect(pause(paused.state, now).changes).toEqual([]);
  });

  it('a result of before a pause that is delivered again after it is no news', () => {
    const resumed = resume(pause(down, now).state, now + 1).state;
    expect(fold(RULES, [result(1, 'down')], resumed)).toMatchObject({ state: { state: 'unknown' }, changes: [] });
  });

  it('after a resumption the rule waits for each location again: the first to answer does not decide alone', () => {
    const rules = { ...THREE, quorum: 2 };
    const up = ['a', 'b', 'c'].map((location) => result(0, 'up', { location }));
    const later = START + 100_000;
    const resumed = resume(pause(fold(rules, up).state, now).state, later).state;
    expect(fold(rules, [result(10, 'down', { location: 'a' })], resumed).state.state).toBe('unknown');
  });

  it('deleting resolves its incident', () => {
    expect(remove(down, now).changes.at(-1)).toMatchObject({ kind: 'resolved', reason: 'deleted' });
  });

  it('silence turns it unknown, which is worse than slow and an incident of its own', () => {
    const up = fold(RULES, [result(0, 'up')]).state;
    expect(silence(RULES, up, START + 30_015, 0).changes).toEqual([]);
    const mute = silence(RULES, up, START + 30_016, 0);
    expect(mute.state).toMatchObject({ state: 'unknown', reason: 'no_results', incident: { worst: 'unknown' } });
    expect(silence(RULES, mute.state, START + 90_000, 0).changes).toEqual([]);
    expect(fold(RULES, [result(9, 'up')], mute.state).changes).toEqual(['state', 'resolved']);
  });

  it('a new monitor that never gives a result is an incident too', () => {
    const mute = silence(RULES, newState('m', START), START + 30_001, 0);
    expect(mute.changes.map(({ kind }) => kind)).toEqual(['state', 'opened']);
    expect(mute.state.message).toContain('never');
  });

  it('silence while nothing could come in is nobody’s', () => {
    const up = fold(RULES, [result(0, 'up')]).state;
    expect(silence(RULES, up, START + 60_000, START + 59_000).changes).toEqual([]);
  });
});

describe('a location whose clock is behind', () => {
  const behind = (n: number, verdict: Verdict, location: string) =>
    result(n, verdict, { location, startedAt: START + n * 10_000 - 40_000 });

  it('is heard of when its window was due, at the earliest: nobody is silent by it', () => {
    const { state } = fold(
      RULES,
      [0, 1, 2].map((n) => behind(n, 'up', 'a')),
    );
    expect(state.lastResultAt).toBe(START + 20_000);
    expect(silence(RULES, state, START + 21_000, 0).changes).toEqual([]);
  });

  it('has its vote: the others do not decide alone', () => {
    const rules = { ...RULES, locations: ['a', 'b'], quorum: 2 };
    const up = [0, 1].flatMap((n) => [result(n, 'up'), behind(n, 'up', 'b')]);
    const { state } = fold(rules, [...up, result(2, 'down'), behind(2, 'up', 'b'), result(3, 'down')]);
    expect(state).toMatchObject({ state: 'up', message: expect.stringContaining('1 of 2') });
  });
});
