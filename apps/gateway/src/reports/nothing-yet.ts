import type { Aged } from '@tocsin/contracts';

/** What is reported of a monitor that its owner knows, and the read side does not yet. */

const aged: Aged = { ageMs: 0, stale: false };
const checks = { up: 0, down: 0, degraded: 0 };
const coverage = { due: 0, ran: 0, late: 0, missed: 0, excused: 0, pending: 0, unaccounted: 0 };

interface Range {
  monitorId: string;
  from: number;
  to: number;
}

export const nothingYet = {
  list: () => ({ items: [], ...aged }),
  uptime: (range: Range) => ({ ...range, checks, incidents: 0, downMs: 0, coverage, latency: { count: 0 }, ...aged }),
  coverage: ({ from, to }: Range) => ({ from, to, coverage, ...aged }),
};
