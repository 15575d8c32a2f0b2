import { durationMs } from '@tocsin/core';
import { z } from 'zod';
import { duration, epochMs, id } from '../schema/fields.ts';
import { tolerant } from '../schema/tolerant.ts';
import { common, probed } from './kinds/kind.ts';
import { type MonitorKind, monitorKinds } from './kinds/kinds.ts';

/** Configuration of what is watched. The same shape is the REST body and, with secrets sealed, the internal record. */

interface Grid {
  kind: string;
  interval?: string | undefined;
  timeout?: string | undefined;
  locations?: string[] | undefined;
  quorum?: number | undefined;
}

function checkGrid<T extends Grid>(spec: T, context: z.RefinementCtx<T>): void {
  const { interval, timeout, locations, quorum } = spec;
  if (interval === undefined || timeout === undefined || locations === undefined || quorum === undefined) return;
  if (durationMs(timeout) > Math.max(durationMs(interval), 10_000)) {
    context.addIssue({ code: 'custom', path: ['timeout'], message: 'must not be longer than the interval' });
  }
  if (quorum > locations.length) {
    context.addIssue({ code: 'custom', path: ['quorum'], message: 'must not exceed the number of locations' });
  }
  if (new Set(locations).size !== locations.length) {
    context.addIssue({ code: 'custom', path: ['locations'], message: 'must not name a location twice' });
  }
}

type Kind = (typeof monitorKinds)[MonitorKind];
const specs = Object.values(monitorKinds).map(({ spec }) => spec) as [Kind['spec'], ...Kind['spec'][]];

/** What a person sends to create or replace a monitor. Unknown fields are refused. */
export const monitorSpec = z.discriminatedUnion('kind', specs).superRefine(checkGrid);
export type MonitorSpec = z.infer<typeof monitorSpec>;
export type MonitorSpecInput = z.input<typeof monitorSpec>;

const record = {
  id,
  revision: z.int().min(1),
  createdAt: epochMs,
  updatedAt: epochMs,
  /**
   * When its present grid took effect: its creation, its resumption, or the last change of its kind, interval or
   * locations. Windows due after this time, and no others, are expected of the present grid.
   */
  gridSince: epochMs,
};

/** A monitor as it is kept: its specification and its record. `revision` grows with every change (the ETag). */
export const monitor = z.object({ ...record, spec: tolerant(monitorSpec) });
export type Monitor = z.infer<typeof monitor>;

const anyKind = z.string().min(1).max(64);
const probedOfAnyKind = tolerant(
  z.strictObject({ kind: anyKind, ...probed, interval: duration('1s', '1d'), settings: z.unknown() }),
);
const otherOfAnyKind = tolerant(
  z.strictObject({ kind: anyKind, ...common, interval: z.undefined().optional(), settings: z.unknown() }),
);

/**
 * A monitor as those read it who neither own it nor run its check. A later version may have kinds and settings that this one does
 * not know, so these are passed on as they are. Whether it is checked on a grid is told by its interval, not by its kind.
 */
export const anyMonitor = z.object({
  ...record,
  spec: z.union([probedOfAnyKind, otherOfAnyKind]).superRefine(checkGrid),
});
export type AnyMonitor = z.infer<typeof anyMonitor>;
export type AnyMonitorSpec = AnyMonitor['spec'];
/** A specification with a grid: somebody checks it, window after window. */
export type ProbedSpec = z.infer<typeof probedOfAnyKind>;

/** Whether somebody checks it on a grid; a heartbeat waits to be called. */
export function isProbed(spec: AnyMonitorSpec): spec is ProbedSpec {
  return spec.interval !== undefined;
}

/** What CONFIG carries per monitor: the newest record, or the fact that it is gone. Older revisions are ignored. */
export const monitorConfig = z.union([
  anyMonitor,
  z.object({
    id,
    revision: z.int().min(1),
    deleted: z.literal(true),
    /** When it was deleted: windows due after this time are not expected. Absent where it is not known. */
    at: epochMs.optional(),
  }),
]);
export type MonitorConfig = z.infer<typeof monitorConfig>;
