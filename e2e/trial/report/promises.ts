import type { Row } from './row.ts';

/** The most that each figure may be; Infinity: nothing is promised of it. */
export interface Promises {
  checks: {
    missed: number;
    missedLong: number;
    late: number;
    unaccounted: number;
    untrue: number;
    worstLateMs: number;
  };
  alerts: { lost: number; doubled: number; repeatedKeys: number; false: number; worstExtraMs: number };
  api: {
    failed: number;
    refused: number;
    accepted: number;
    stale: number;
    outdated: number;
    lostWrites: number;
    doubledWrites: number;
  };
  recoveryMs: { worst: number };
  address: { awayMs: number };
}

/** What the death of any one service instance may cost: the strictest row of the failure table. */
export const strict: Promises = {
  checks: { missed: 0, missedLong: 0, late: 0, unaccounted: 0, untrue: 0, worstLateMs: 3_000 },
  alerts: { lost: 0, doubled: 0, repeatedKeys: 0, false: 0, worstExtraMs: 4_000 },
  api: { failed: 0, refused: 0, accepted: Infinity, stale: Infinity, outdated: 0, lostWrites: 0, doubledWrites: 0 },
  recoveryMs: { worst: Infinity },
  address: { awayMs: 2_000 },
};

/** Some figures of some groups, in place of the strict ones. */
export type Overrides = { [Group in keyof Promises]?: Partial<Promises[Group]> };

/** The strict promises with what a scenario is allowed in place of them. */
export function promises(allowed: Overrides = {}): Promises {
  return {
    checks: { ...strict.checks, ...allowed.checks },
    alerts: { ...strict.alerts, ...allowed.alerts },
    api: { ...strict.api, ...allowed.api },
    recoveryMs: { ...strict.recoveryMs, ...allowed.recoveryMs },
    address: { ...strict.address, ...allowed.address },
  };
}

/** The same without what depends on how fast the machine is, missed windows included: for one that others share, as CI's. */
export function untimed(allowed: Overrides = {}): Overrides {
  return {
    ...allowed,
    checks: { ...allowed.checks, missed: Infinity, late: Infinity, worstLateMs: Infinity },
    alerts: { ...allowed.alerts, worstExtraMs: Infinity },
    address: { awayMs: Infinity },
  };
}

/** What each figure counts, as it stands in a sentence. */
const WORDS: { [Group in keyof Promises]: Record<keyof Promises[Group], string> } = {
  checks: {
    missed: 'windows missed',
    missedLong: 'windows missed at intervals of 10 s and more',
    late: 'windows run late',
    unaccounted: 'windows that the record says nothing of',
    untrue: 'windows recorded as run that no target saw',
    worstLateMs: 'the latest check (ms)',
  },
  alerts: {
    lost: 'alerts lost',
    doubled: 'alerts doubled',
    repeatedKeys: 'alerts sent again under the same key',
    false: 'false alerts',
    worstExtraMs: 'the latest alert (ms)',
  },
  api: {
    failed: 'API requests failed',
    refused: 'API requests refused',
    accepted: 'API requests answered 202',
    stale: 'stale API answers',
    outdated: 'API answers that were out of date and not marked so',
    lostWrites: 'acknowledged writes lost',
    doubledWrites: 'writes carried out twice',
  },
  recoveryMs: { worst: 'the longest recovery (ms)' },
  address: { awayMs: 'the longest time without the address (ms)' },
};

/** The promises that a row breaks, each in words with its figure and its bound; empty when all hold. */
export function judge(row: Omit<Row, 'broken'>, bounds: Promises): string[] {
  return [
    ...broken(row.checks, bounds.checks, WORDS.checks),
    ...broken(row.alerts, bounds.alerts, WORDS.alerts),
    ...broken(row.api, bounds.api, WORDS.api),
    ...broken(row.recoveryMs, bounds.recoveryMs, WORDS.recoveryMs),
    ...(row.address ? broken(row.address, bounds.address, WORDS.address) : []),
    ...reached(row),
  ];
}

function broken<K extends string>(
  figures: Record<K, number>,
  bounds: Record<K, number>,
  words: Record<K, string>,
): string[] {
  return (Object.keys(bounds) as K[])
    .filter((name) => !(figures[name] <= bounds[name]))
    .map((name) => `${words[name]}: ${figures[name]}, promised at most ${bounds[name]}`);
}

/** A row that nothing was counted in proves nothing. */
function reached({ checks, alerts, api }: Omit<Row, 'broken'>): string[] {
  return [
    ...(checks.due > 0 ? [] : ['no window was due: nothing was shown of checks']),
    ...(alerts.expected > 0 ? [] : ['no alert was expected: nothing was shown of alerts']),
    ...(api.requests > 0 ? [] : ['no API request was made: nothing was shown of the API']),
  ];
}
