import { z } from 'zod';
import { finding, outcome } from './check.ts';
import { epochMs, id } from './fields.ts';

/** What the read side answers about the past. */

export const resultView = z.object({
  dueAt: epochMs,
  location: z.string(),
  attempt: z.int(),
  outcome,
  finding: finding.optional(),
  startedAt: epochMs.optional(),
  prober: z.string(),
});
export type ResultView = z.infer<typeof resultView>;

const count = z.int().min(0);

/** Milliseconds; from a histogram with steps of about a tenth, so a percentile is right to about 10 %. */
export const latency = z.object({
  count,
  meanMs: z.number().optional(),
  p50Ms: z.number().optional(),
  p90Ms: z.number().optional(),
  p95Ms: z.number().optional(),
  p99Ms: z.number().optional(),
  maxMs: z.number().optional(),
});
export type Latency = z.infer<typeof latency>;

/** How due windows ended. `due = ran + late + missed + excused`; ratio = ran / (due − excused). */
export const coverage = z.object({
  due: count,
  ran: count,
  late: count,
  missed: count,
  excused: count,
  ratio: z.number().min(0).max(1).optional(),
});
export type Coverage = z.infer<typeof coverage>;

export const rollup = z.object({
  from: epochMs,
  seconds: z.int(),
  up: count,
  down: count,
  degraded: count,
  coverage,
  latency,
});
export type Rollup = z.infer<typeof rollup>;

export const uptimeReport = z.object({
  monitorId: id,
  from: epochMs,
  to: epochMs,
  /** The share of checks that ran and did not find it down; absent where none ran. */
  uptime: z.number().min(0).max(1).optional(),
  checks: z.object({ up: count, down: count, degraded: count }),
  incidents: count,
  downMs: z.number().min(0),
  coverage,
  latency,
});
export type UptimeReport = z.infer<typeof uptimeReport>;

export const summary = z.object({
  monitors: count,
  states: z.object({
    up: count,
    down: count,
    degraded: count,
    unknown: count,
    paused: count,
    maintenance: count,
  }),
  openIncidents: count,
  /** Over the last hour, of all monitors. */
  coverage,
});
export type Summary = z.infer<typeof summary>;
