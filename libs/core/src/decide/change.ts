import type { BadState, DecidedChange, IncidentChange, MonitorState, StateName } from './types.ts';
import { NO_RESULTS } from './types.ts';
import { idFrom } from '../ids.ts';

const SEVERITY: Record<BadState, number> = { degraded: 1, unknown: 2, down: 3 };

export interface Next {
  state: StateName;
  reason: string;
  message: string;
}

/**
 * Moves a monitor to its next state, and opens, changes or resolves its incident accordingly. There is at most one
 * open incident. A state worse than any the incident has seen resolves it and opens another, so that an alarm about
 * a slow answer can't swallow the one about an outage; any other change between bad states stays within it.
 */
export function change(state: MonitorState, next: Next, at: number): { state: MonitorState; changes: DecidedChange[] } {
  const changed = { ...state, reason: next.reason, message: next.message };
  // Unknown because it is new and unknown because nothing comes are not the same: only one of them is bad.
  if (next.state === state.state && badState(next) === badState(state)) return { state: changed, changes: [] };
  const when = Math.max(at, state.since);
  changed.state = next.state;
  changed.since = when;
  const changes: DecidedChange[] = [
    { kind: 'state', from: state.state, to: next.state, at: when, reason: next.reason, message: next.message },
  ];
  return { state: changed, changes: [...changes, ...incidentChanges(changed, next, when)] };
}

/** Updates `state.incident` in place (it is the caller's fresh copy) and says what happened. */
function incidentChanges(state: MonitorState, next: Next, at: number): IncidentChange[] {
  const bad = badState(next);
  const open = state.incident;
  if (!bad) {
    delete state.incident;
    return open ? [incidentChange('resolved', open, next, at)] : [];
  }
  if (!open) return [opened(state, bad, next, at)];
  if (SEVERITY[bad] <= SEVERITY[open.worst]) return [incidentChange('changed', open, next, at)];
  const superseded = { ...next, reason: 'superseded', message: `Superseded by a worse state: ${next.message}` };
  return [incidentChange('resolved', open, superseded, at), opened(state, bad, next, at)];
}

function opened(state: MonitorState, bad: BadState, next: Next, at: number): IncidentChange {
  state.incidents += 1;
  state.incident = { id: idFrom(`incident:${state.monitorId}:${state.incidents}`), worst: bad, openedAt: at };
  return incidentChange('opened', state.incident, next, at);
}

function incidentChange(
  kind: IncidentChange['kind'],
  incident: { id: string; openedAt: number },
  next: Next,
  at: number,
): IncidentChange {
  return { kind, incidentId: incident.id, openedAt: incident.openedAt, at, ...next };
}

/** A monitor that nothing is known of yet is not in a bad state; one whose results stopped is. */
function badState(next: Pick<Next, 'state' | 'reason'>): BadState | undefined {
  if (next.state === 'down' || next.state === 'degraded') return next.state;
  return next.state === 'unknown' && next.reason === NO_RESULTS ? 'unknown' : undefined;
}
