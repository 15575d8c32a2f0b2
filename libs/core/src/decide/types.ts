/** The words of the rules that turn results into states and incidents. No I/O: what is decided is done elsewhere. */

export type Verdict = 'up' | 'down' | 'degraded';
export type StateName = Verdict | 'unknown' | 'paused' | 'maintenance';

/** Attempts from here on were asked for by a person; they count as evidence like a due check. */
export const MANUAL_ATTEMPTS_FROM = 1_000;

/** Reason of the state and the incident of a monitor whose results stopped coming. */
export const NO_RESULTS = 'no_results';

/** What of a monitor's specification decides about its state. */
export interface Rules {
  locations: readonly string[];
  /** How many locations must agree that it is down. */
  quorum: number;
  failureThreshold: number;
  recoveryThreshold: number;
  /** Whether a first failure is confirmed by another check before it counts. */
  confirm: boolean;
  intervalMs: number;
  timeoutMs: number;
}

/** A result as it comes from a prober; a missed one has no finding. */
export interface CheckResult {
  /** The revision of the monitor that was checked. */
  revision?: number | undefined;
  window: number;
  location: string;
  attempt: number;
  dueAt: number;
  startedAt?: number | undefined;
  prober: string;
  finding?: { verdict: Verdict; reason: string; message: string; durationMs: number } | undefined;
}

/** A check that is asked for to confirm a first failure. */
export interface Confirmation {
  window: number;
  dueAt: number;
  /** 1 is the first one; a confirmation that nobody answers is asked for again with the next number. */
  attempt: number;
  /** Where it is to run: the next location where there are several. */
  location: string;
  /** The prober that found the failure: it should leave the confirmation to another. */
  avoid: string;
  askedAt: number;
  reason: string;
  message: string;
}

/** What one location says. */
export interface LocationState {
  verdict: Verdict | 'unknown';
  /** The newest evidence that was folded; older evidence changes nothing. */
  dueAt: number;
  attempt: number;
  /** When that evidence was found. */
  at: number;
  reason: string;
  message: string;
  /** Findings in a row, up to now: down; not up; not down; up. */
  down: number;
  notUp: number;
  notDown: number;
  up: number;
  /** Its last failure was not seen from elsewhere: if the next window fails too, that counts without being confirmed. */
  doubted?: boolean;
  pending?: Confirmation;
}

export type BadState = 'degraded' | 'unknown' | 'down';

export interface MonitorState {
  monitorId: string;
  state: StateName;
  since: number;
  reason: string;
  message: string;
  locations: Record<string, LocationState>;
  /** The first revision that watches what is watched now; results of those before say nothing of it. */
  sinceRevision?: number;
  /** When results were first expected: its creation, or the end of its last pause. */
  expectedSince: number;
  lastDueAt?: number;
  lastResultAt?: number;
  lastDurationMs?: number;
  /** The open incident, if there is one, and the worst state it has seen. */
  incident?: { id: string; worst: BadState; openedAt: number };
  /** How many incidents it has had; numbers the next one. */
  incidents: number;
}

export interface StateChange {
  kind: 'state';
  from: StateName;
  to: StateName;
  at: number;
  reason: string;
  message: string;
}

export interface IncidentChange {
  kind: 'opened' | 'changed' | 'resolved';
  incidentId: string;
  state: StateName;
  at: number;
  openedAt: number;
  reason: string;
  message: string;
}

export type DecidedChange = StateChange | IncidentChange;

/** What became of a result: why it was, or was not, counted. */
export type Folded = 'evidence' | 'confirmation' | 'missed' | 'outdated' | 'unasked' | 'other_location' | 'paused';

export interface Decision {
  state: MonitorState;
  folded: Folded | 'none';
  /** In the order in which they happened. Empty where nothing changed that anyone must hear of. */
  changes: DecidedChange[];
  /** Checks to ask for, now. */
  confirmations: Confirmation[];
}
