import { type IncidentEvent, type StateEvent, subjects, type TimelineEntry } from '@tocsin/contracts';
import type { DecidedChange, Confirmation, Decision, IncidentChange, StateChange } from '@tocsin/core';
import type { OutboxMessage } from '@tocsin/database';
import type { AudienceChange } from '../fold/audience.ts';
import type { Held, KnownMonitor, ResultRow } from './held-monitor.ts';
import type { TransitionMessage } from '../transitions/transitions.store.ts';

/** What is known of an incident after a batch; empty texts mean that they stay as they are. */
export interface IncidentRow {
  id: string;
  monitorId: string;
  monitorName: string;
  state: string;
  reason: string;
  message: string;
  openedAt: number;
  resolvedAt?: number;
  /** Whom its messages go to; given when it opens. */
  told?: readonly string[];
}

export interface TimelineRow extends Omit<TimelineEntry, 'by'> {
  incidentId: string;
  by?: string | undefined;
}

/** Gives the trace headers that a message about a change travels with. */
export type Tracing = (change: DecidedChange, monitor: KnownMonitor) => Record<string, string>;

/** All that a batch has decided, gathered so that it can be written in a few statements. */
export class FoldOutput {
  readonly results: ResultRow[] = [];
  readonly states = new Map<string, Held>();
  readonly incidents = new Map<string, IncidentRow>();
  readonly timeline: TimelineRow[] = [];
  readonly messages: OutboxMessage[] = [];
  /** Those of the messages that tell of transitions of incidents. */
  readonly transitions: TransitionMessage[] = [];
  readonly audiences: AudienceChange[] = [];
  readonly confirmations: { monitor: KnownMonitor; confirmation: Confirmation; headers: Record<string, string> }[] = [];

  /** Takes over a decision about a monitor; `held` is given its new state. */
  add(held: Held, decision: Decision, trace: { headers: Record<string, string>; of: Tracing } = UNTRACED): void {
    const { monitor } = held;
    if (decision.state !== held.state) {
      held.state = decision.state;
      this.states.set(monitor.monitorId, held);
    }
    for (const change of decision.changes) this.addChange(monitor, change, trace.of(change, monitor));
    for (const confirmation of decision.confirmations) {
      this.confirmations.push({ monitor, confirmation, headers: trace.headers });
    }
  }

  /** Notes that a monitor's state is to be written although no decision changed it. */
  touch(held: Held): void {
    this.states.set(held.monitor.monitorId, held);
  }

  /** Notes that a monitor's channels changed: those that were added hear of its open incident, if there is one. */
  addAudience({ monitor, state }: Held, former: readonly string[], at: number): void {
    if (!state.incident) return;
    const { id: incidentId, openedAt } = state.incident;
    const { reason, message } = state;
    const payload: IncidentEvent = {
      ...incidentEvent(monitor, {
        incidentId,
        transition: 'opened',
        state: state.state,
        at,
        openedAt,
        reason,
        message,
      }),
      reminded: { channels: [...monitor.rules.channels], revision: monitor.revision },
    };
    const id = `${incidentId}.opened.r${monitor.revision}`;
    this.audiences.push({ incidentId, former, message: { id, subject: subjects.incidentEvent(incidentId), payload } });
  }

  private addChange(monitor: KnownMonitor, change: DecidedChange, headers: Record<string, string>): void {
    if (change.kind === 'state') this.messages.push(stateMessage(monitor, change, headers));
    else this.addIncidentChange(monitor, change, headers);
  }

  private addIncidentChange(monitor: KnownMonitor, change: IncidentChange, headers: Record<string, string>): void {
    const { incidentId, kind, at } = change;
    const before = this.incidents.get(incidentId);
    const row: IncidentRow = before ?? {
      id: incidentId,
      monitorId: monitor.monitorId,
      monitorName: monitor.name,
      state: '',
      reason: '',
      message: '',
      openedAt: change.openedAt,
    };
    if (kind === 'opened') row.told = monitor.rules.channels;
    if (kind === 'resolved') row.resolvedAt = at;
    else Object.assign(row, { state: change.state, reason: change.reason, message: change.message });
    this.incidents.set(incidentId, row);
    this.timeline.push({ incidentId, at, what: kind, text: `${change.state}: ${change.message}` });
    if (kind === 'changed') return;
    const message = incidentMessage(monitor, change, headers);
    this.messages.push(message);
    this.transitions.push(message);
  }
}

const UNTRACED = { headers: {}, of: (): Record<string, string> => ({}) };

function stateMessage(monitor: KnownMonitor, change: StateChange, headers: Record<string, string>): OutboxMessage {
  const { from, to, at, reason, message } = change;
  const payload: StateEvent = {
    monitorId: monitor.monitorId,
    monitorName: monitor.name,
    from,
    to,
    at,
    reason,
    message,
  };
  return { subject: subjects.stateEvent(monitor.monitorId), payload, headers };
}

function incidentMessage(
  monitor: KnownMonitor,
  change: IncidentChange,
  headers: Record<string, string>,
): TransitionMessage {
  const { incidentId, kind, state, at, openedAt, reason, message } = change;
  const transition = kind === 'resolved' ? 'resolved' : 'opened';
  const payload = incidentEvent(monitor, { incidentId, transition, state, at, openedAt, reason, message });
  return { id: `${incidentId}.${transition}`, subject: subjects.incidentEvent(incidentId), payload, headers };
}

/** An incident's event with what a notification needs to know of its monitor. */
export function incidentEvent(
  monitor: Pick<KnownMonitor, 'monitorId' | 'name' | 'rules'>,
  of: Omit<IncidentEvent, 'monitorId' | 'monitorName' | 'channels' | 'remindEvery'>,
): IncidentEvent {
  const { channels, remindEvery } = monitor.rules;
  const { monitorId, name: monitorName } = monitor;
  return {
    ...of,
    monitorId,
    monitorName,
    channels: [...channels],
    ...(remindEvery === undefined ? {} : { remindEvery }),
  };
}
