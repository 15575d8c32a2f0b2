import { environment, milliseconds, variable, wholeNumber } from '@tocsin/service';
import type { z } from 'zod';

const days = (max: number) => wholeNumber({ min: 1, max, unit: 'days' });

/** What `incidents` reads from the environment, beside the platform's part. */
export const incidentsConfig = environment({
  /** How many days single results are kept, and roll-ups of five minutes, of an hour, and of a day. */
  retentionDays: {
    results: variable('TOCSIN_RETENTION_DAYS', days(3_650).default(30)),
    rollups_300: variable('TOCSIN_RETENTION_ROLLUP_300_DAYS', days(3_650).default(90)),
    rollups_3600: variable('TOCSIN_RETENTION_ROLLUP_3600_DAYS', days(36_500).default(400)),
    rollups_86400: variable('TOCSIN_RETENTION_ROLLUP_86400_DAYS', days(36_500).default(3_650)),
  },
  /** How often the sweep looks for unanswered windows, silent monitors and overdue heartbeats. */
  sweepMs: variable('TOCSIN_SWEEP_MS', milliseconds(50, 60_000).default(1_000)),
  /** How often roll-ups are brought up to date. */
  rollupMs: variable('TOCSIN_ROLLUP_MS', milliseconds(50, 600_000).default(15_000)),
});
export type IncidentsConfig = z.infer<typeof incidentsConfig>;
