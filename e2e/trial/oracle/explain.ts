import type { ApiFigures } from '../load/api-figures.ts';
import type { OutdatedRead } from '../load/ledger.ts';
import type { AlertCounts } from './alerts.ts';
import type { RecordCounts } from './record.ts';
import type { WindowCounts, WindowSeen } from './windows.ts';
import type { WriteCounts } from './writes.ts';

/** All that was counted of a range. */
export interface Evidence {
  windows: WindowCounts;
  record: RecordCounts;
  alerts: AlertCounts;
  writes: WriteCounts;
  requests: ApiFigures;
  outdated: readonly OutdatedRead[];
}

const MOST_OF_A_KIND = 10;

/** What went wrong, one by one, in words, each with the strike that came before it; the first of each kind. */
export function explain(evidence: Evidence, strikes: readonly number[]): string[] {
  const { windows, record, alerts, writes, requests, outdated } = evidence;
  const window = (what: string) => (seen: WindowSeen) =>
    `${what}: window of monitor ${seen.n} (every ${seen.intervalMs / 1_000} s) due ${when(seen.dueAt, strikes)}` +
    (seen.lateMs === undefined ? '' : `, first hit after ${seen.lateMs} ms`);
  return [
    some(windows.missedWindows, window('missed')),
    some(windows.lateWindows, window('late')),
    some(record.unaccounted, window('unaccounted')),
    some(record.lostResults, window('ran, but recorded as missed')),
    some(record.unseenRuns, window('recorded as run, but not seen')),
    some(alerts.details, ({ what, n, kind, at }) => `${what}: ${kind} of monitor ${n}, ${when(at, strikes)}`),
    some(writes.details, (text) => text),
    some(
      outdated,
      ({ at, monitorId, name, replacedBy }) =>
        `out of date: monitor ${monitorId} was shown as ${name}, ${when(at, strikes)}, and was ${replacedBy} for more than 3 s`,
    ),
    some(requests.samples, (request) => {
      const took = `${request.attempts} attempts, ${Math.round(request.tookMs)} ms`;
      return `${request.answer}: ${request.kind}, ${when(request.startedAt, strikes)}, ${took}: ${request.why}`;
    }),
  ].flat();
}

function some<T>(all: readonly T[], words: (one: T) => string): string[] {
  const told = all.slice(0, MOST_OF_A_KIND).map(words);
  return all.length > told.length ? [...told, `… and ${all.length - told.length} more such`] : told;
}

function when(at: number, strikes: readonly number[]): string {
  const strike = strikes.findLastIndex((struck) => struck <= at);
  const time = new Date(at).toISOString().slice(11, 23);
  return strike < 0 ? `at ${time}` : `at ${time}, ${at - strikes[strike]!} ms after strike ${strike + 1}`;
}
