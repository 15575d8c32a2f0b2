import {
  checkId,
  checkTaskOf,
  isProbed,
  MANUAL_ATTEMPT,
  type Monitor,
  type MonitorSpec,
  subjects,
} from '@tocsin/contracts';
import { durationMs, gridOf, hash32, TocsinError, windowAt } from '@tocsin/core';
import type { OutboxMessage } from '@tocsin/database';

/** Manual attempts are numbered by the operation that asked for them, so that a repeated one is the same check. */
const MANUAL_ATTEMPTS = 1_000_000;

/**
 * Since when the grid of the changed monitor is in force: from now on, if the change is one of its windows. It names the
 * grid, so no two are of the same time, whatever the clocks of two instances say.
 */
export function gridSinceAfter({ spec: before, gridSince }: Monitor, after: MonitorSpec, now: number): number {
  const same = before.paused === after.paused && gridKey(before) === gridKey(after);
  return same || after.paused ? gridSince : Math.max(now, gridSince + 1);
}

function gridKey(spec: MonitorSpec): string {
  if (!isProbed(spec)) return JSON.stringify([spec.kind, spec.settings.schedule]);
  return JSON.stringify([spec.kind, durationMs(spec.interval), spec.locations.toSorted()]);
}

/**
 * The checks to run when a person asks for one now: the window that is open, from each location.
 * @throws TocsinError `invalid` for a heartbeat, which nobody probes; `conflict` while the monitor is paused
 */
export function manualChecksOf(monitor: Monitor, operationId: string, now: number): OutboxMessage[] {
  const { spec } = monitor;
  if (!isProbed(spec)) {
    throw new TocsinError('invalid', 'A heartbeat monitor waits to be called, so it can not be checked.');
  }
  if (spec.paused) throw new TocsinError('conflict', 'The monitor is paused; resume it, then check it.');
  const window = windowAt(gridOf(monitor.id, durationMs(spec.interval)), now);
  const attempt = MANUAL_ATTEMPT + (hash32(operationId) % MANUAL_ATTEMPTS);
  return spec.locations.map((location) => ({
    id: checkId({ monitorId: monitor.id, window, location, attempt }),
    subject: subjects.check(location, monitor.id),
    payload: checkTaskOf(monitor, { window, location, attempt, now }),
  }));
}
