import type { Finding } from '@tocsin/contracts';
import type { Clock, TargetGuard } from '@tocsin/core';

/** What a check is given besides its settings. */
export interface CheckContext {
  /** How long the whole check may take, name resolution included, in milliseconds. */
  timeoutMs: number;
  clock: Clock;
  /** Says of each resolved address, right before it is connected to, whether this deployment may connect to it. */
  targets: TargetGuard;
  /** Opens a sealed secret. Called only when the secret is about to be used, and the result is never kept. */
  openSecret: (sealed: string) => string;
  /** Told of an exception that no check foresaw: the check is down for `internal`, and this is what to mend. */
  onDefect?: (error: unknown) => void;
  /** Ends the check early: it then finds `aborted`, which says nothing about the target. */
  signal?: AbortSignal;
  /** Told at the end how long the check itself kept everything else in this process waiting, ms, where it did. */
  heldUp?: (ms: number) => void;
  /** Names these settings, such as `<monitor>.<revision>`, so that what is compiled from them is kept for next time. */
  settingsKey?: string;
}

/**
 * One kind of check. It never throws: what went wrong is in the finding's reason and message. It leaves nothing
 * behind: no socket, no timer, no listener.
 */
export type Check<S> = (settings: S, context: CheckContext) => Promise<Finding>;
