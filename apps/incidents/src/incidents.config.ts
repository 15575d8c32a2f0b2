import { z } from 'zod';

function whole(min: number, max: number, unit: string) {
  return z
    .string()
    .regex(/^\d+$/, `must be a whole number of ${unit}`)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
}

export const incidentsConfig = z
  .object({
    /** How long single results are kept, in days. */
    TOCSIN_RETENTION_DAYS: whole(1, 3_650, 'days').default(30),
    /** How long roll-ups of five minutes, of an hour, and of a day are kept, in days. */
    TOCSIN_RETENTION_ROLLUP_300_DAYS: whole(1, 3_650, 'days').default(90),
    TOCSIN_RETENTION_ROLLUP_3600_DAYS: whole(1, 36_500, 'days').default(400),
    TOCSIN_RETENTION_ROLLUP_86400_DAYS: whole(1, 36_500, 'days').default(3_650),
    /** How often unanswered windows, silent monitors and overdue heartbeats are looked for, in ms. */
    TOCSIN_SWEEP_MS: whole(50, 60_000, 'milliseconds').default(1_000),
    /** How often roll-ups are brought up to date, in ms. */
    TOCSIN_ROLLUP_MS: whole(50, 600_000, 'milliseconds').default(15_000),
  })
  .transform((env) => ({
    retentionDays: {
      results: env.TOCSIN_RETENTION_DAYS,
      rollups_300: env.TOCSIN_RETENTION_ROLLUP_300_DAYS,
      rollups_3600: env.TOCSIN_RETENTION_ROLLUP_3600_DAYS,
      rollups_86400: env.TOCSIN_RETENTION_ROLLUP_86400_DAYS,
    },
    sweepMs: env.TOCSIN_SWEEP_MS,
    rollupMs: env.TOCSIN_ROLLUP_MS,
  }));
export type IncidentsConfig = z.infer<typeof incidentsConfig>;
