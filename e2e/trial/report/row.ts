/** What one scenario cost: a row of the table. Times in milliseconds. */
export interface Row {
  /** What died, such as `one prober`. */
  failure: string;
  how: 'killed' | 'frozen' | 'cut' | 'slowed' | 'switched off' | 'stopped' | 'restarted' | 'deleted' | 'none' | 'mixed';
  /** How many times. */
  kills: number;
  checks: {
    due: number;
    late: number;
    /** Not seen by their target in time, or seen and yet missed in the record: the result was lost. */
    missed: number;
    /** Missed ones of monitors with an interval of 10 s or more. */
    missedLong: number;
    /** Windows that the record says nothing of. */
    unaccounted: number;
    /** Windows that ran as the record says, though no target saw it. */
    untrue: number;
    worstLateMs: number;
    worstGapMs: number;
  };
  alerts: {
    expected: number;
    arrived: number;
    lost: number;
    /** A second alert, under another key, of what was told already. */
    doubled: number;
    /** The same key accepted more than once by the receiver. */
    repeatedKeys: number;
    /** Alerts of what did not happen. */
    false: number;
    /** The longest from when the first check was due that could see it to the alert, less what is usual. */
    worstExtraMs: number;
  };
  api: {
    requests: number;
    failed: number;
    /** 429 or 503 with Retry-After until the client gave up. */
    refused: number;
    /** Answered 202. */
    accepted: number;
    stale: number;
    /** Showed what had been replaced for a while, and were not marked stale. */
    outdated: number;
    worstMs: number;
    lostWrites: number;
    doubledWrites: number;
  };
  recoveryMs: { median: number; worst: number };
  /** Only where there is an address that moves from host to host. */
  address?: {
    /** The longest time in which nobody answered there. */
    awayMs: number;
  };
  /** Promises that did not hold, in words; empty when all did. */
  broken: string[];
  /** What was missed, late, lost, doubled or failed, one by one, in words: the first of each kind. */
  details: string[];
}

/** All rows of a drill, and how to repeat it. */
export interface Run {
  rows: readonly Row[];
  machine: string;
  /** The day, such as `2026-11-21`. */
  at: string;
  command: string;
  seed: number;
  checksPerSecond: number;
}

/** A row in which nothing happened, to be filled. */
export function emptyRow(failure: string, how: Row['how']): Row {
  return {
    failure,
    how,
    kills: 0,
    checks: { due: 0, late: 0, missed: 0, missedLong: 0, unaccounted: 0, untrue: 0, worstLateMs: 0, worstGapMs: 0 },
    alerts: { expected: 0, arrived: 0, lost: 0, doubled: 0, repeatedKeys: 0, false: 0, worstExtraMs: 0 },
    api: {
      requests: 0,
      failed: 0,
      refused: 0,
      accepted: 0,
      stale: 0,
      outdated: 0,
      worstMs: 0,
      lostWrites: 0,
      doubledWrites: 0,
    },
    recoveryMs: { median: 0, worst: 0 },
    broken: [],
    details: [],
  };
}
