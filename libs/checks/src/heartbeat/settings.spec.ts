import { monitorSpec } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { checkSettings } from '../check-settings.ts';

describe('the schedule of a heartbeat', () => {
  it.each(['*/5 * * * *', '0 3 * * MON', '30 0 1 1 *', '0 */10 * * * *'])('may be %s', (cron) => {
    const spec = monitorSpec.parse({ kind: 'heartbeat', name: 'h', settings: { schedule: { cron } } });
    expect(checkSettings(spec)).toEqual([]);
  });

  it.each([
    ['nonsense', 'UTC', '/settings/schedule/cron'],
    ['61 * * * *', 'UTC', '/settings/schedule/cron'],
    ['0 0 31 2 *', 'UTC', '/settings/schedule/cron'],
    ['* * * * *', 'Mars/Olympus', '/settings/schedule/timezone'],
  ])('may not be %s in %s', (cron, timezone, path) => {
    const spec = monitorSpec.parse({ kind: 'heartbeat', name: 'h', settings: { schedule: { cron, timezone } } });
    expect(checkSettings(spec).map((fault) => fault.path)).toEqual([path]);
  });
});
