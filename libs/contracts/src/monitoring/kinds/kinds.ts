import { z } from 'zod';
import { heartbeatKind } from './heartbeat.ts';
import { httpKind } from './http/http.ts';
import type { MonitorTraits } from './kind.ts';
import { tcpKind } from './tcp.ts';

/** Every kind of monitor, one line each. */
export const monitorKinds = {
  http: httpKind,
  tcp: tcpKind,
  heartbeat: heartbeatKind,
};

export type MonitorKind = keyof typeof monitorKinds;
/** The settings of a kind. */
export type SettingsOf<K extends MonitorKind> = z.infer<(typeof monitorKinds)[K]['settings']>;

/** A kind that probers check. */
export type ProbedKind = {
  [K in MonitorKind]: (typeof monitorKinds)[K] extends { target: z.ZodType } ? K : never;
}[MonitorKind];

export const monitorKind = z.enum(Object.keys(monitorKinds) as MonitorKind[]);

const UNKNOWN: MonitorTraits = { hasGrid: false, hasLocations: false, hasKey: false };

/** The traits of a kind. None is known of the kinds of a later version. */
export function traitsOf(kind: string): MonitorTraits {
  return Object.hasOwn(monitorKinds, kind) ? monitorKinds[kind as MonitorKind].traits : UNKNOWN;
}
