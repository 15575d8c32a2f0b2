import { change } from './change.ts';
import { firstStarted, type Run, runsAfter, runsOf } from './runs.ts';
import { count, silentLocation } from './location.ts';
import type { Decision, MonitorState, Rules } from './types.ts';

/** The one location that heartbeats are recorded under. */
export const HEARTBEAT_LOCATION = 'push';

/** A ping that arrived. */
export interface Ping {
  pingId: string;
  /** The run that it is about, where the job says so. */
  rid?: string | undefined;
  signal: 'success' | 'start' | 'fail';
  exitCode?: number | undefined;
  message?: string | undefined;
  /** When a gateway took it, by its own clock. */
  receivedAt: number;
  /** When the broker stored it, which is before the next one of the same job is sent: pings are in this order. */
  publishedAt: number;
}

/** When pings are expected. Cron and time zones are the caller's business: this only asks for the next time. */
export interface Schedule {
  /** When the next ping is expected after one at this time. */
  readonly next: (afterMs: number) => number;
  /** The times stand by the clock, whenever pings come; else the next one is a period after the last ping. */
  readonly byClock?: boolean;
  graceMs: number;
}

/** Where a heartbeat's schedule stands. Empty until the first ping: nobody is late before the job ever ran. */
export interface HeartbeatState {
  lastPingId?: string;
  lastPingAt?: number;
  /** When the newest was published, and which that was: instances of the version before do not move it on. */
  published?: { pingId: string; at: number };
  /** When the run without an id began that has not ended. */
  startedAt?: number;
  expectedAt?: number;
  /** The runs with an id that have not ended, as of a ping. */
  runs?: { asOf: string; open: readonly Run[] };
}

/** What one ping, or its absence, adds to the record. */
export interface HeartbeatWindow {
  dueAt: number;
  outcome: 'ran' | 'late' | 'missed';
  verdict?: 'up' | 'down';
  reason: string;
  message: string;
  durationMs?: number;
}

export interface HeartbeatDecision extends Decision {
  heartbeat: HeartbeatState;
  windows: HeartbeatWindow[];
}

type Thresholds = Pick<Rules, 'failureThreshold' | 'recoveryThreshold'>;

/** How far ahead of ours the clock of a host may be for its ping to count as on time. */
const EARLY_MAX_MS = 60_000;

/** How far apart the clocks of two gateways may be. What was received earlier is driven again by a person, and no news. */
const CLOCKS_MS = 60_000;

/** Most windows marked in one go after a long silence; the rest follows with the next sweep. */
const OVERDUE_MAX = 1_000;

/** Folds one ping. One that is older than the newest, or was folded already, changes nothing but the end of its run. */
export function decidePing(
  rules: Thresholds & Schedule,
  state: MonitorState,
  heartbeat: HeartbeatState,
  ping: Ping,
): HeartbeatDecision {
  if (state.state === 'paused') return still(state, heartbeat, 'paused');
  if (isOutdated(heartbeat, ping)) {
    const ends = ping.rid !== undefined && ping.signal !== 'start';
    return still(state, ends ? runsAfter(heartbeat, ping, heartbeat.lastPingId) : heartbeat, 'outdated');
  }
  const { pingId, receivedAt, publishedAt } = ping;
  const newest = { lastPingId: pingId, lastPingAt: receivedAt, published: { pingId, at: publishedAt } };
  const seen = { ...runsAfter(heartbeat, ping, pingId), ...newest };
  if (ping.signal === 'start') {
    return still(state, ping.rid === undefined ? { ...seen, startedAt: ping.receivedAt } : seen, 'evidence');
  }
  const run = runsOf(heartbeat).find(({ rid }) => rid === ping.rid);
  const startedAt = run?.at ?? heartbeat.startedAt;
  const { startedAt: _ended, ...rest } = seen;
  const failed = ping.signal === 'fail' || (ping.exitCode ?? 0) !== 0;
  const window: HeartbeatWindow = {
    dueAt: Math.min(ping.receivedAt, heartbeat.expectedAt ?? ping.receivedAt),
    outcome: ping.receivedAt > (heartbeat.expectedAt ?? Infinity) + rules.graceMs ? 'late' : 'ran',
    verdict: failed ? 'down' : 'up',
    reason: failed ? 'heartbeat' : 'ok',
    message: failed ? failureText(ping) : firstLine(ping.message, 'ok'),
    ...(startedAt === undefined ? {} : { durationMs: Math.max(0, ping.receivedAt - startedAt) }),
  };
  // The end of a run with an id says nothing of the one without.
  const next: HeartbeatState = {
    ...(run ? seen : rest),
    expectedAt: expectedAfter(rules, ping.receivedAt, heartbeat.expectedAt),
  };
  return folded(failed ? { ...rules, failureThreshold: 1 } : rules, state, {
    heartbeat: next,
    window,
    at: ping.receivedAt,
  });
}

/** Whether a ping is the newest one again, or older. */
function isOutdated(
  { lastPingId, lastPingAt, published }: HeartbeatState,
  { pingId, receivedAt, publishedAt }: Ping,
): boolean {
  if (lastPingAt === undefined) return false;
  const newestAt = published?.pingId === lastPingId ? published?.at : undefined;
  return pingId === lastPingId || publishedAt < (newestAt ?? lastPingAt) || receivedAt < lastPingAt - CLOCKS_MS;
}

/**
 * When the ping after one is expected. Where times stand by the clock, a ping that comes just before one is of a host
 * whose clock is ahead, and counts for that time as well: by at most the grace, a tenth of the period and a minute, so that
 * a job that ends late in its period hides no more than one silence, and seldom.
 * @param expectedAt the time that the ping was expected at; undefined for the first
 */
export function expectedAfter(rules: Schedule, pingAt: number, expectedAt?: number): number {
  const next = rules.next(pingAt);
  if (!rules.byClock) return next;
  // One that is late already has its own time to make up for.
  if (expectedAt !== undefined && expectedAt <= pingAt) return next;
  const after = rules.next(next);
  const early = Math.min(rules.graceMs, (after - next) / 10, EARLY_MAX_MS);
  return next - pingAt <= early ? after : next;
}

/** When a heartbeat is overdue if nothing comes: the expected ping plus grace, or a run that outlasts the grace. */
export function overdueAt(rules: Pick<Schedule, 'graceMs'>, heartbeat: HeartbeatState): number | undefined {
  const first = Math.min(
    heartbeat.expectedAt ?? Infinity,
    heartbeat.startedAt ?? Infinity,
    firstStarted(heartbeat)?.at ?? Infinity,
  );
  return first === Infinity ? undefined : first + rules.graceMs;
}

/** Marks the pings that were expected, and are overdue, as missed. Nothing happens before the first ping. */
export function decideOverdue(
  rules: Thresholds & Schedule,
  before: MonitorState,
  from: HeartbeatState,
  now: number,
): HeartbeatDecision {
  let decision = still(before, from, 'none');
  if (before.state === 'paused') return decision;
  for (let marked = 0; marked < OVERDUE_MAX; marked += 1) {
    const { heartbeat, state } = decision;
    const overdue = overdueAt(rules, heartbeat);
    if (overdue === undefined || now <= overdue) break;
    const dueAt = overdue - rules.graceMs;
    const { heartbeat: next, message: stuck } = given(rules, heartbeat, dueAt);
    const late = now - (heartbeat.lastPingAt === undefined ? dueAt : expectedAfter(rules, heartbeat.lastPingAt));
    const message = stuck ?? `heartbeat: overdue by ${spoken(Math.max(late, now - dueAt))}`;
    const window: HeartbeatWindow = { dueAt, outcome: 'missed', reason: 'heartbeat', message };
    const step = folded(rules, state, { heartbeat: next, window, at: overdue });
    decision = {
      ...step,
      changes: [...decision.changes, ...step.changes],
      windows: [...decision.windows, ...step.windows],
    };
  }
  return decision;
}

/** What stands after the ping, or the end of a run, that was due at a time did not come; and what there is to say of a run. */
function given(
  rules: Schedule,
  heartbeat: HeartbeatState,
  dueAt: number,
): { heartbeat: HeartbeatState; message?: string } {
  const { startedAt, ...rest } = heartbeat;
  const run = firstStarted(heartbeat);
  // A run that hangs says nothing of the times at which others are due.
  if (run?.at === dueAt && dueAt !== heartbeat.expectedAt && dueAt !== startedAt) {
    const message = `heartbeat: run ${run.rid} started and did not finish in time`;
    return {
      heartbeat: {
        ...runsAfter(heartbeat, run, heartbeat.lastPingId),
        expectedAt: heartbeat.expectedAt ?? rules.next(dueAt),
      },
      message,
    };
  }
  const next = { ...rest, expectedAt: rules.next(Math.max(dueAt, startedAt ?? 0)) };
  return dueAt === startedAt
    ? { heartbeat: next, message: 'heartbeat: started and did not finish in time' }
    : { heartbeat: next };
}

interface JudgedHeartbeat {
  heartbeat: HeartbeatState;
  window: HeartbeatWindow;
  at: number;
}

function folded(rules: Thresholds, state: MonitorState, { heartbeat, window, at }: JudgedHeartbeat): HeartbeatDecision {
  const before = state.locations[HEARTBEAT_LOCATION] ?? silentLocation;
  const found = { verdict: window.verdict ?? ('down' as const), reason: window.reason, message: window.message };
  const location = count({ ...NO_PROBES, ...rules }, { ...before, dueAt: window.dueAt, attempt: 0, at }, found);
  const next: MonitorState = { ...state, locations: { [HEARTBEAT_LOCATION]: location }, lastDueAt: window.dueAt };
  if (window.verdict !== undefined) next.lastResultAt = at;
  if (window.durationMs !== undefined) next.lastDurationMs = window.durationMs;
  const { verdict } = location;
  const changed =
    verdict === 'unknown' ? { state: next, changes: [] } : change(next, { state: verdict, ...texts(found) }, at);
  return { ...changed, folded: 'evidence', confirmations: [], heartbeat, windows: [window] };
}

const NO_PROBES = { locations: [HEARTBEAT_LOCATION], quorum: 1, confirm: false, intervalMs: 0, timeoutMs: 0 };

function texts({ reason, message }: { reason: string; message: string }) {
  return { reason, message };
}

function still(state: MonitorState, heartbeat: HeartbeatState, why: Decision['folded']): HeartbeatDecision {
  return { state, folded: why, changes: [], confirmations: [], heartbeat, windows: [] };
}

function failureText(ping: Ping): string {
  const code = ping.exitCode === undefined ? '' : ` (exit code ${ping.exitCode})`;
  const said = firstLine(ping.message, '');
  return `heartbeat: reported a failure${code}${said === '' ? '' : `: ${said}`}`;
}

function firstLine(text: string | undefined, otherwise: string): string {
  const line = (text ?? '').trim().split('\n', 1)[0] ?? '';
  return line === '' ? otherwise : line.slice(0, 300);
}

/** A length of time as a person says it: `90s`, `5m 3s`, `2h 10m`, `3d 4h`. */
function spoken(ms: number): string {
  const s = Math.round(ms / 1_000);
  if (s < 120) return `${s}s`;
  if (s < 7_200) return `${Math.floor(s / 60)}m ${s % 60}s`;
  if (s < 172_800) return `${Math.floor(s / 3_600)}h ${Math.floor((s % 3_600) / 60)}m`;
  return `${Math.floor(s / 86_400)}d ${Math.floor((s % 86_400) / 3_600)}h`;
}
