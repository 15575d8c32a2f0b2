import { z } from 'zod';
import { duration, line } from '../../schema/fields.ts';
import { tolerant } from '../../schema/tolerant.ts';
import { pingedKind } from './kind.ts';

export const heartbeatSettings = z.strictObject({
  schedule: z.union([
    z.strictObject({ every: duration('1s', '366d') }),
    z.strictObject({ cron: line(120), timezone: line(64).default('UTC') }),
  ]),
  grace: duration('0s', '30d').default('1m'),
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
