import { z } from 'zod';
import { epochMs, id, locationName } from '../schema/fields.ts';
import { monitorKinds, type ProbedKind } from './kinds/kinds.ts';

/** Attempts from here on were asked for by a person (`check now`), not by the grid or a confirmation. */
export const MANUAL_ATTEMPT = 1000;

type Target = (typeof monitorKinds)[ProbedKind]['target'];
const targets = Object.values(monitorKinds).flatMap((kind) => ('target' in kind ? [kind.target] : []));

/** What a prober of this version can check. */
export const checkTarget = z.discriminatedUnion('kind', targets as [Target, ...Target[]]);
export type CheckTarget = z.infer<typeof checkTarget>;

/** One check to run: `checks.<location>.<monitorId>`. It carries all that a prober needs; secrets in it are sealed. */
export const checkTask = z.object({
  monitorId: id,
  revision: z.int(),
  window: z.int(),
  location: locationName,
  attempt: z.int().min(0),
  dueAt: epochMs,
  /** When its window ends; a task found later than this is answered as missed and not run. */
  expiresAt: epochMs,
  timeoutMs: z.int().min(1).max(300_000),
  intervalMs: z.int().min(1),
  /** Prober instances that should leave it to another, where there is one: who found the failure to confirm. */
  avoid: z.array(z.string()).max(10).optional(),
  /** Of any kind: whoever runs it sees whether it can (`checkTarget`). */
  target: z.object({ kind: z.string().min(1).max(64), settings: z.unknown() }),
});
export type CheckTask = z.infer<typeof checkTask>;

const verdict = z.enum(['up', 'down', 'degraded']);
export type Verdict = z.infer<typeof verdict>;

/** How a due window ended. */
export const outcome = z.enum(['ran', 'late', 'missed', 'excused']);
export type Outcome = z.infer<typeof outcome>;

/** Milliseconds spent in each phase of a check; a phase that did not happen is absent. */
const timings = z.object({
  dnsMs: z.number().optional(),
  connectMs: z.number().optional(),
  tlsMs: z.number().optional(),
  firstByteMs: z.number().optional(),
  transferMs: z.number().optional(),
});
export type Timings = z.infer<typeof timings>;

/** What running a check found, before it is tied to a window. */
export const finding = z.object({
  verdict,
  /** The named reason, stable for machines: `ok`, `status`, `dns`, `connect`, `tls`, `timeout`, `assertion`, … */
  reason: z.string().max(64),
  /** The reason in words for a person: `status 503, expected 200-299`. */
  message: z.string().max(500),
  durationMs: z.number().min(0),
  timings,
  statusCode: z.int().optional(),
  certificateExpiresAt: epochMs.optional(),
});
export type Finding = z.infer<typeof finding>;

/** Why a check did not run: a named reason, and the same in words. */
export const because = z.object({ reason: z.string().max(64), message: z.string().max(500) });

/** One result: `results.<monitorId>`. At most one is kept per (monitor, due time, location, attempt). */
export const result = z.object({
  monitorId: id,
  revision: z.int(),
  window: z.int(),
  location: locationName,
  attempt: z.int().min(0),
  dueAt: epochMs,
  outcome,
  /** Absent when the check did not run (`missed`). */
  finding: finding.optional(),
  startedAt: epochMs.optional(),
  /** Why it did not run, where more is known than that its window ended: `unsupported`. */
  because: because.optional(),
  /** The instance that answered the task. */
  prober: z.string().max(128),
});
export type Result = z.infer<typeof result>;

/** One heartbeat that arrived: `heartbeats.<monitorId>`. */
export const heartbeat = z.object({
  monitorId: id,
  /** Identifies the ping, so that a redelivery counts once. */
  pingId: z.string().max(64),
  /** The run that it is about, where the job says so. */
  rid: z.uuid().optional(),
  signal: z.enum(['success', 'start', 'fail']),
  exitCode: z.int().min(0).max(255).optional(),
  message: z.string().max(10_000).optional(),
  receivedAt: epochMs,
});
export type Heartbeat = z.infer<typeof heartbeat>;
