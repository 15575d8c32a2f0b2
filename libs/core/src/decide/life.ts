import { change } from './change.ts';
import type { Decision, LocationState, MonitorState, Rules } from './types.ts';
import { NO_RESULTS } from './types.ts';
import { settled, silentLocation } from './location.ts';
import { silenceMs } from './quorum.ts';

/** The state of a monitor that was just created. */
export function newState(monitorId: string, now: number, message = 'Waiting for the first result'): MonitorState {
  return {
    monitorId,
    state: 'unknown',
    since: now,
    reason: 'new',
    message,
    locations: {},
    expectedSince: now,
    incidents: 0,
  };
}

/**
 * A person paused it: its incident is resolved, and nothing that comes in counts until it is resumed. What was folded
 * stays folded: a result from before that the broker gives out once more is no news after the pause either.
 */
export function pause(state: MonitorState, now: number): Decision {
  if (state.state === 'paused') return nothing(state);
  const quiet = { ...state, locations: mapValues(state.locations, muted) };
  return done(change(quiet, { state: 'paused', reason: 'paused', message: 'Paused' }, now));
}

/** Results are expected again, from now on. */
export function resume(state: MonitorState, now: number): Decision {
  if (state.state !== 'paused') return nothing(state);
  const expecting = { ...state, expectedSince: now };
  return done(change(expecting, { state: 'unknown', reason: 'resumed', message: 'Waiting for the first result' }, now));
}

/**
 * Something else is watched from this revision on: what was found before is no evidence of it. Its incident is resolved,
 * nothing is known until the first result, and what is still on its way from before is outdated.
 */
export function rewatch(state: MonitorState, revision: number, now: number): Decision {
  const fresh: MonitorState = { ...state, locations: {}, sinceRevision: revision, expectedSince: now };
  if (state.state === 'paused') return nothing(fresh);
  const message = 'What was watched has changed; waiting for the first result of what is watched now';
  return done(change(fresh, { state: 'unknown', reason: 'changed', message }, now));
}

/** It was deleted: what is left to do is to resolve its incident. */
export function remove(state: MonitorState, now: number): Decision {
  return done(change(state, { state: 'paused', reason: 'deleted', message: 'The monitor was deleted' }, now));
}

/**
 * Turns a monitor whose results stopped into `unknown`, with an incident of that reason. Nothing happens while results
 * are fresh.
 * @param healthySince since when results could have come in at all: the time during which the asker itself was cut off
 * is nobody's silence
 */
export function silence(rules: Rules, state: MonitorState, now: number, healthySince: number): Decision {
  if (state.state === 'paused' || (state.state === 'unknown' && state.reason === NO_RESULTS)) return nothing(state);
  if (now <= silentAt(rules, state, healthySince)) return nothing(state);
  const last = state.lastResultAt === undefined ? 'never' : new Date(state.lastResultAt).toISOString();
  const mute: MonitorState = { ...state, locations: mapValues(state.locations, muted) };
  return done(
    change(mute, { state: 'unknown', reason: NO_RESULTS, message: `No results; the last one came: ${last}` }, now),
  );
}

/** When a monitor counts as silent if nothing more comes. */
function silentAt(
  rules: Rules,
  state: Pick<MonitorState, 'lastResultAt' | 'expectedSince'>,
  healthySince: number,
): number {
  return Math.max(state.lastResultAt ?? 0, state.expectedSince, healthySince) + silenceMs(rules);
}

/** Keeps what was folded, so that old results stay old, and forgets what it said. */
function muted(location: LocationState): LocationState {
  const { dueAt, attempt, at } = location;
  return settled({ ...silentLocation, dueAt, attempt, at });
}

function mapValues<T>(values: Record<string, T>, fn: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fn(value)]));
}

function done(changed: Pick<Decision, 'state' | 'changes'>): Decision {
  return { ...changed, folded: 'none', confirmations: [] };
}

function nothing(state: MonitorState): Decision {
  return { state, folded: 'none', changes: [], confirmations: [] };
}
