import { traitsOf } from '@tocsin/contracts';
import { uptimeOf, watchedUptime } from '@tocsin/core';
import { unknownMonitor } from './known.ts';
import { Records } from './records.ts';
import * as sql from './reports.sql.ts';

interface Range {
  monitorId: string;
  from: number;
  to: number;
}

type Checks = Parameters<typeof uptimeOf>[0];

/** How the uptime of a monitor is measured in a range, and what it was. */
export interface Uptimes {
  incidents: readonly sql.IncidentSpan[];
  /** Whether it is a heartbeat, measured by the time in which it was watched. */
  byTime: boolean;
  /** @param checks what was found in [from, to), for what is measured by its checks */
  uptime(checks: Checks, from: number, to: number): number | undefined;
  /** Whether it was watched as a heartbeat at some time in [from, to). */
  isWatched(from: number, to: number): boolean;
}

/**
 * Reads how the uptime of a monitor is measured: a heartbeat's by the time it was not down, of others by their checks.
 * @throws TocsinError `not_found` for a monitor that nothing is known of
 */
export async function uptimesIn(records: Records, { monitorId, from, to }: Range): Promise<Uptimes> {
  const range = [monitorId, from, to];
  const [incidents, rows] = await Promise.all([
    records.read<sql.IncidentSpan>('uptime incidents', sql.INCIDENTS, range),
    records.read<sql.WatchedRow>('uptime watched', sql.WATCHED, range),
  ]);
  if (rows.length === 0) throw unknownMonitor(monitorId);
  const watched = rows.flatMap(({ from_at, until_at }) =>
    from_at === null ? [] : [{ from: from_at, ...(until_at === null ? {} : { to: until_at }) }],
  );
  // One that is probed by now is measured as such, also in the time before.
  const kind = rows[0]?.kind ?? '';
  const byTime = watched.length > 0 && (kind === '' || traitsOf(kind).hasKey);
  const share = watchedUptime(watched, incidents.filter(({ state }) => state === 'down').map(sql.stretchOf));
  return {
    incidents,
    byTime,
    uptime: (checks, since, until) => (byTime ? share(since, until) : uptimeOf(checks)),
    isWatched: (since, until) => byTime && share(since, until) !== undefined,
  };
}
