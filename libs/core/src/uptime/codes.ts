/**
 * How the columns `results.outcome` and `results.verdict` hold these words. Rows and migrations hold the same numbers, so
 * a code never changes its meaning.
 */
export const OUTCOME_CODES = { ran: 0, late: 1, missed: 2, excused: 3 } as const;
export const VERDICT_CODES = { up: 0, down: 1, degraded: 2 } as const;

/** The words of the codes 0, 1, …, for what a row says. */
export const OUTCOME_NAMES = Object.keys(OUTCOME_CODES) as (keyof typeof OUTCOME_CODES)[];
export const VERDICT_NAMES = Object.keys(VERDICT_CODES) as (keyof typeof VERDICT_CODES)[];
