import { TocsinError } from '@tocsin/core';
import type { Records } from './records.ts';

const KNOWN = 'SELECT 1 FROM incidents.monitors_v1 WHERE monitor_id = $1';

/** Where there is nothing to report: was there ever such a monitor? @throws TocsinError `not_found` */
export async function requireKnown(records: Records, monitorId: string): Promise<void> {
  const rows = await records.read<object>('monitor known', KNOWN, [monitorId]);
  if (rows.length === 0) throw unknownMonitor(monitorId);
}

/** Nothing is known of it: it never existed, or was deleted longer ago than anything is kept, or was just made. */
export function unknownMonitor(monitorId: string): TocsinError {
  return new TocsinError('not_found', `Nothing is known of a monitor ${monitorId}.`);
}
