import type { CheckResult, Confirmation, LocationState, Rules, Verdict } from './types.ts';

/** Counting further than any threshold goes would change nothing but the row's size. */
const COUNT_MAX = 20;

export const silentLocation: LocationState = {
  verdict: 'unknown',
  dueAt: 0,
  attempt: -1,
  at: 0,
  reason: '',
  message: '',
  down: 0,
  notUp: 0,
  notDown: 0,
  up: 0,
};

type Finding = NonNullable<CheckResult['finding']>;

/** Whether evidence is newer than what a location has folded. The same evidence again is not. */
export function isNewer(location: LocationState, result: Pick<CheckResult, 'dueAt' | 'attempt'>): boolean {
  if (result.dueAt !== location.dueAt) return result.dueAt > location.dueAt;
  return result.attempt > location.attempt;
}

/** Counts one finding and draws the location's verdict from the counts. */
export function count(rules: Rules, location: LocationState, found: Pick<Finding, 'verdict' | 'reason' | 'message'>) {
  const next = { ...location, reason: found.reason, message: found.message };
  const { verdict } = found;
  next.down = verdict === 'down' ? more(location.down) : 0;
  next.notUp = verdict !== 'up' ? more(location.notUp) : 0;
  next.notDown = verdict !== 'down' ? more(location.notDown) : 0;
  next.up = verdict === 'up' ? more(location.up) : 0;
  next.verdict = verdictOf(rules, next, verdict);
  return next;
}

function verdictOf(rules: Rules, location: LocationState, latest: Verdict): LocationState['verdict'] {
  const { failureThreshold, recoveryThreshold } = rules;
  const before = location.verdict;
  if (location.down >= failureThreshold) return 'down';
  if (before === 'down') {
    if (location.notDown < recoveryThreshold) return 'down';
    return location.up >= recoveryThreshold ? 'up' : 'degraded';
  }
  if (before === 'degraded') return location.up >= recoveryThreshold ? 'up' : 'degraded';
  if (latest !== 'down' && location.notUp >= failureThreshold) return 'degraded';
  if (before === 'unknown') return latest === 'up' ? 'up' : 'unknown';
  return 'up';
}

/**
 * Whether a finding is a first failure, which another prober has to confirm before it counts: also that of a manual
 * check, or looking at a monitor could raise a false alarm.
 */
export function needsConfirmation(rules: Rules, location: LocationState, verdict: Verdict): boolean {
  if (!rules.confirm || verdict !== 'down') return false;
  return location.verdict !== 'down' && location.down === 0 && !location.pending && !location.doubted;
}

/** Where the n-th confirmation of a location's failure runs. No two locations ask the same one at the same attempt. */
export function confirmerOf(rules: Rules, location: string, attempt: number): string {
  const at = rules.locations.indexOf(location);
  return rules.locations[(at + attempt) % rules.locations.length] ?? location;
}

/** The location without its pending confirmation and without doubt. */
export function settled(location: LocationState): LocationState {
  const { pending: _pending, doubted: _doubted, ...rest } = location;
  return rest;
}

/** The confirmation to ask for after a first failure. */
export function confirmationOf(rules: Rules, result: CheckResult, found: Finding, now: number): Confirmation {
  return {
    window: result.window,
    dueAt: result.dueAt,
    attempt: 1,
    location: confirmerOf(rules, result.location, 1),
    avoid: result.prober,
    askedAt: now,
    reason: found.reason,
    message: found.message,
  };
}

function more(value: number): number {
  return Math.min(value + 1, COUNT_MAX);
}
