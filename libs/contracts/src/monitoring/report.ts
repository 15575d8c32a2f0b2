import { z } from 'zod';
import { because, finding, outcome } from './check.ts';
import { epochMs, id } from '../schema/fields.ts';
import { stateName } from '../incidents/incident.ts';

/** What the read side answers about the past. */

export const resultView = z.object({
  dueAt: epochMs,
  location: z.string(),
  attempt: z.int(),
  outcome,
  finding: finding.optional(),
  because: because
    .optional()
    .meta({ description: 'Why it did not run, where more is known than that its window ended' }),
  startedAt: epochMs.optional().meta({ description: 'When the check began; absent where it did not run' }),
  at: epochMs.optional().meta({ description: 'When it ended, was answered as missed, or was found to be missed' }),
  prober: z.string().meta({ description: 'The instance that answered; empty where nobody did' }),
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

/**
 * How due windows ended: `due = ran + late + missed + excused + pending + unaccounted`, where `due` comes from the grid
 * and how they ended from the record. ratio = ran / (due − excused − pending).
 */
export const coverage = z.object({
  due: count.meta({ description: 'Windows times locations that fell due, by the grids in force' }),
  ran: count,
  late: count,
  missed: count,
  excused: count.meta({ description: 'Due while the monitor was paused' }),
  pending: count.default(0).meta({ description: 'Not ended yet: their time for an answer has not passed' }),
  unaccounted: z.int().default(0).meta({
    description: 'Always 0, or Tocsin has a defect: windows whose end nobody recorded (below 0: recorded, but not due)',
  }),
  ratio: z.number().min(0).max(1).optional(),
});
export type Coverage = z.infer<typeof coverage>;

const uptime = z
  .number()
  .min(0)
  .max(1)
  .optional()
  .meta({
    description:
      'The share of checks that ran and did not find it down; absent where none ran. Of a heartbeat, which makes no results ' +
      'while it is silent: the share of time in which it was not down, from its first ping on and without its pauses.',
  });
const down = count.meta({ description: 'Of a heartbeat, pings that were due and did not come are among them' });

export const rollup = z.object({
  from: epochMs,
  seconds: z.int(),
  uptime,
  up: count,
  down,
  degraded: count,
  coverage,
  latency,
});
export type Rollup = z.infer<typeof rollup>;

/** Coverage of one monitor or of all. The range is shorter than asked for where its edges are no longer kept as finely. */
export const coverageReport = z.object({ from: epochMs, to: epochMs, coverage });
export type CoverageReport = z.infer<typeof coverageReport>;

/** How windows ended, counted. */
const outcomes = z.object({ ran: count, late: count, missed: count, excused: count });

/** One monitor in numbers: its state, and how its windows ended of the last hour and day that are rolled up. */
export const monitorTally = z.object({
  monitorId: id,
  name: z.string(),
  kind: z.string(),
  state: stateName,
  hour: outcomes,
  day: outcomes,
});
export type MonitorTally = z.infer<typeof monitorTally>;

export const uptimeReport = z.object({
  monitorId: id,
  from: epochMs,
  to: epochMs,
  uptime,
  checks: z.object({ up: count, down, degraded: count }),
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
