import { dueAt, durationMs, gridOf } from '@tocsin/core';
import type { CheckTask } from './check.ts';
import { type AnyMonitor, isProbed } from './monitor.ts';

/**
 * The check of one window of a monitor from one location, or undefined for a monitor that nobody probes.
 * @param of `now` (ms since the epoch) is when a confirmation or a manual check (`attempt` above 0) is asked for;
 *   the due check of a window (attempt 0) does not need it. `avoid` names prober instances that should leave it
 */
export function checkTaskOf(
  monitor: Pick<AnyMonitor, 'id' | 'revision' | 'spec'>,
  of: { window: number; location: string; attempt: number; avoid?: string[]; now?: number },
): CheckTask | undefined {
  const { spec } = monitor;
  if (!isProbed(spec)) return undefined;
  const intervalMs = durationMs(spec.interval);
  const timeoutMs = durationMs(spec.timeout);
  const due = dueAt(gridOf(monitor.id, intervalMs), of.window);
  // A later attempt answers a question that was asked at `now`: it must not expire because the window is about to end.
  const expiresAt = of.attempt === 0 ? due + intervalMs : (of.now ?? due) + Math.max(intervalMs, timeoutMs);
  return {
    monitorId: monitor.id,
    revision: monitor.revision,
    window: of.window,
    location: of.location,
    attempt: of.attempt,
    dueAt: due,
    expiresAt,
    timeoutMs,
    intervalMs,
    ...(of.avoid === undefined ? {} : { avoid: of.avoid }),
    target: { kind: spec.kind, settings: spec.settings },
  };
}
