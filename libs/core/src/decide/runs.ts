import type { Ping, HeartbeatState } from './heartbeat.ts';

/** A run of a job that has begun and has an id of its own, so that one that hangs is seen beside others that end. */
export interface Run {
  rid: string;
  /** When it began. */
  at: number;
}

/** Most runs that are kept as open. The oldest are the first to be overdue, so the newest are left out. */
const RUNS_MAX = 20;

/**
 * The open runs of a heartbeat. Instances of the version before this one know of none: where the newest ping is one that they
 * have folded, it may have been the end of any, so none is known to be open.
 */
export function runsOf(heartbeat: HeartbeatState): readonly Run[] {
  return heartbeat.runs && heartbeat.runs.asOf === heartbeat.lastPingId ? heartbeat.runs.open : [];
}

/** The run that has been open for longest. */
export function firstStarted(heartbeat: HeartbeatState): Run | undefined {
  return runsOf(heartbeat).reduce<Run | undefined>(
    (first, run) => (first && first.at <= run.at ? first : run),
    undefined,
  );
}

/** The heartbeat with the runs that are open after a ping: its run is among them if it began, and is not if it ended. */
export function runsAfter(
  heartbeat: HeartbeatState,
  of: Pick<Ping, 'rid'> & Partial<Pick<Ping, 'signal' | 'receivedAt'>>,
  asOf: string | undefined,
): HeartbeatState {
  const { runs: _former, ...rest } = heartbeat;
  const others = runsOf(heartbeat).filter(({ rid }) => rid !== of.rid);
  const begun = of.signal === 'start' && of.rid !== undefined ? [{ rid: of.rid, at: of.receivedAt ?? 0 }] : [];
  const open = [...others, ...begun].slice(0, RUNS_MAX);
  return open.length === 0 || asOf === undefined ? rest : { ...rest, runs: { asOf, open } };
}
