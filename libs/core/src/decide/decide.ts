import { change } from './change.ts';
import * as at from './location.ts';
import type { CheckResult, Confirmation, Decision, Folded, LocationState, MonitorState, Rules } from './types.ts';
import { MANUAL_ATTEMPTS_FROM } from './types.ts';
import { judge } from './quorum.ts';

/** How often a confirmation is asked for before the failure counts without one: silence is never success. */
const CONFIRMATIONS_MAX = 3;
/** How long a confirmation may take beyond the check's own timeout. */
const CONFIRMATION_MARGIN_MS = 5_000;

type Finding = NonNullable<CheckResult['finding']>;

/**
 * Folds one result into a monitor's state: pure, with `now` passed in. The same result again, or one older than what
 * its location has said since, changes nothing; a missed one is no evidence of anything.
 */
export function decide(rules: Rules, state: MonitorState, result: CheckResult, now: number): Decision {
  if (state.state === 'paused') return unchanged(state, 'paused');
  if (!rules.locations.includes(result.location)) return unchanged(state, 'other_location');
  if (result.revision !== undefined && result.revision < (state.sinceRevision ?? 0))
    return unchanged(state, 'outdated');
  const found = result.finding;
  if (!found) return unchanged(state, 'missed');
  const confirming = result.attempt > 0 && result.attempt < MANUAL_ATTEMPTS_FROM;
  return confirming
    ? foldConfirmation(rules, state, { result, found }, now)
    : foldDue(rules, state, { result, found }, now);
}

interface Ran {
  result: CheckResult;
  found: Finding;
}

function foldDue(rules: Rules, state: MonitorState, { result, found }: Ran, now: number): Decision {
  const before = state.locations[result.location] ?? at.silentLocation;
  if (!at.isNewer(before, result)) return unchanged(state, 'outdated');
  const seen = { ...before, dueAt: result.dueAt, attempt: result.attempt, at: foundAt(result, found, now) };
  if (at.needsConfirmation(rules, before, found.verdict)) {
    const pending = at.confirmationOf(rules, result, found, now);
    const next = withLocation(state, result.location, { ...seen, pending });
    return { state: noted(next, result, found, now), folded: 'evidence', changes: [], confirmations: [pending] };
  }
  // A failure that waits to be confirmed is confirmed by the next window failing too, and cleared by its success.
  const counted =
    before.pending && found.verdict === 'down' ? at.count(rules, seen, { ...before.pending, verdict: 'down' }) : seen;
  const location = at.settled(at.count(rules, counted, found));
  const next = noted(withLocation(state, result.location, location), result, found, now);
  return concluded(rules, next, 'evidence', location.at);
}

function foldConfirmation(rules: Rules, state: MonitorState, { result, found }: Ran, now: number): Decision {
  const asker = rules.locations.find((name) => {
    const pending = state.locations[name]?.pending;
    return pending?.window === result.window && pending.attempt >= result.attempt
      && at.confirmerOf(rules, name, result.attempt) === result.location; // prettier-ignore
  });
  const before = asker === undefined ? undefined : state.locations[asker];
  if (asker === undefined || !before) return unchanged(state, 'unasked');
  const when = foundAt(result, found, now);
  const own = asker === result.location;
  const attempt = Math.max(result.attempt, before.attempt); // a manual check of the same window stays folded
  const seen = own ? { ...before, attempt, at: Math.max(when, before.at) } : before;
  const location = confirmed(rules, seen, found, own);
  const next = noted(withLocation(state, asker, location), result, found, now);
  return concluded(rules, next, 'confirmation', when);
}

/** A success seen from elsewhere says that the failure is local: it is doubted, and counts if the next window fails too. */
function confirmed(rules: Rules, location: LocationState, found: Finding, own: boolean): LocationState {
  if (found.verdict === 'down' || own) return at.settled(at.count(rules, location, found));
  return { ...at.settled(location), doubted: true };
}

/**
 * Asks again for confirmations that nobody has answered, and counts the failure once it was asked for often enough.
 * For the sweep, whenever {@link confirmationOverdueAt} has passed.
 * @param openSince since when answers could have come in: the absence of one that was asked for before says nothing
 */
export function pressConfirmations(rules: Rules, state: MonitorState, now: number, openSince: number): Decision {
  const confirmations: Confirmation[] = [];
  let next = state;
  let counted = false;
  for (const name of rules.locations) {
    const location = next.locations[name];
    const pending = location?.pending;
    if (!location || !pending || now < pending.askedAt + patienceMs(rules)) continue;
    if (pending.attempt < CONFIRMATIONS_MAX || pending.askedAt < openSince) {
      const attempt = pending.attempt + 1;
      const again = { ...pending, attempt, askedAt: now, location: at.confirmerOf(rules, name, attempt) };
      confirmations.push(again);
      next = withLocation(next, name, { ...location, pending: again });
      continue;
    }
    const found = {
      verdict: 'down' as const,
      reason: pending.reason,
      message: `${pending.message} (no prober was there to confirm it)`,
    };
    next = withLocation(next, name, at.settled(at.count(rules, location, found)));
    counted = true;
  }
  // To ask again is no evidence: what the locations say together is as it was.
  if (!counted) return { ...unchanged(next, 'none'), confirmations };
  return { ...concluded(rules, next, 'none', now), confirmations };
}

/** When the sweep has to look at a state's confirmations, or undefined where none is pending. */
export function confirmationOverdueAt(rules: Rules, state: MonitorState): number | undefined {
  let first: number | undefined;
  for (const name in state.locations) {
    const askedAt = state.locations[name]?.pending?.askedAt;
    if (askedAt !== undefined) first = Math.min(first ?? Infinity, askedAt + patienceMs(rules));
  }
  return first;
}

/** Until when a confirmation is worth running, counted from now. */
function patienceMs(rules: Pick<Rules, 'timeoutMs'>): number {
  return rules.timeoutMs + CONFIRMATION_MARGIN_MS;
}

function concluded(rules: Rules, state: MonitorState, folded: Decision['folded'], when: number): Decision {
  const judgement = judge(rules, state);
  if (!judgement) return { state, folded, changes: [], confirmations: [] };
  return { ...change(state, judgement, when), folded, confirmations: [] };
}

function unchanged(state: MonitorState, folded: Folded | 'none'): Decision {
  return { state, folded, changes: [], confirmations: [] };
}

function withLocation(state: MonitorState, name: string, location: LocationState): MonitorState {
  return { ...state, locations: { ...state.locations, [name]: location } };
}

/** Notes what the newest result was. `state` is the caller's fresh copy. */
function noted(state: MonitorState, result: CheckResult, found: Finding, now: number): MonitorState {
  const when = foundAt(result, found, now);
  if (when < (state.lastResultAt ?? 0)) return state;
  return {
    ...state,
    lastDueAt: Math.max(result.dueAt, state.lastDueAt ?? 0),
    lastResultAt: when,
    lastDurationMs: found.durationMs,
  };
}

/** When it was found, by the prober's clock, which may be wrong: not before it was due, and not in the future. */
function foundAt({ startedAt, dueAt }: CheckResult, found: Finding, now: number): number {
  return Math.min(now, Math.max(dueAt, Math.round((startedAt ?? dueAt) + found.durationMs)));
}
