import { z } from 'zod';
import { duration, line } from '../../schema/fields.ts';
import { tolerant } from '../../schema/tolerant.ts';
import { pingedKind } from './kind.ts';

const heartbeatSettings = z.strictObject({
  schedule: z
    .union([
      z.strictObject({ every: duration('1s', '366d') }).meta({ title: 'Every so often' }),
      z
        .strictObject({
          cron: line(120).meta({ examples: ['0 3 * * *'] }),
          timezone: line(64)
            .default('UTC')
            .meta({ title: 'Time zone', examples: ['Europe/Berlin'] }),
        })
        .meta({ title: 'By a cron expression' }),
    ])
    .meta({ description: 'When the job reports' }),
  grace: duration('0s', '30d').default('1m').meta({ description: 'How late it may report' }),
});
export type HeartbeatSettings = z.infer<typeof heartbeatSettings>;

export const heartbeatKind = pingedKind('heartbeat', {
  title: 'Heartbeat',
  description: 'Waits for a job to report in time',
  settings: heartbeatSettings,
  leads: [],
  examples: {
    'A job that reports': {
      name: 'Nightly backup',
      settings: { schedule: { cron: '0 3 * * *', timezone: 'UTC' }, grace: '30m' },
    },
  },
});

/** The settings of a heartbeat; undefined for other kinds, and for a heartbeat with a schedule of a later version. */
export function heartbeatOf(spec: { kind: string; settings: unknown }): HeartbeatSettings | undefined {
  return spec.kind === 'heartbeat' ? tolerant(heartbeatSettings).safeParse(spec.settings).data : undefined;
}
