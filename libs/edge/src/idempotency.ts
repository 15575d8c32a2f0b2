import { createHmac } from 'node:crypto';
import type { IfRevision } from '@tocsin/contracts';
import { type SecretKeys, systemClock } from '@tocsin/core';
import { EdgeRefusal } from './problem.ts';

type Headers = Record<string, string | string[] | undefined>;

/** However long a caller is willing to wait: nobody waits longer. */
export const LONGEST_WAIT_MS = 30_000;

/**
 * The caller's Idempotency-Key, or undefined.
 * @throws EdgeRefusal `invalid` unless it is 1 to 255 visible characters
 */
export function idempotencyKey(headers: Headers): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw EdgeRefusal.header('Idempotency-Key', 'expected 1 to 255 visible ASCII characters, once');
}

/** What a request is recognised by: a keyed hash, since bodies hold secrets. */
export function requestHash(
  [key]: SecretKeys,
  of: { method: string; path: string; ifRevision?: IfRevision; body: string },
): string {
  // Without a revision nothing is added: what earlier versions recorded is still recognised.
  const condition = of.ifRevision === undefined ? '' : ` if-match ${[of.ifRevision].flat().join()}`;
  return createHmac('sha256', key).update(`${of.method} ${of.path}${condition}\n${of.body}`).digest('hex');
}

/** When the caller stops waiting, ms since the epoch: as `Prefer: wait=N` (RFC 7240) says, 1 to 30 s, or the default. */
export function deadlineOf(headers: Headers, answerMs: number): number {
  const prefer = headers['prefer'];
  const wait = /(?:^|[,;]\s*)wait\s*=\s*"?(\d{1,6})"?/i.exec(Array.isArray(prefer) ? prefer.join(',') : (prefer ?? ''));
  const waitMs = wait ? Math.min(LONGEST_WAIT_MS, Math.max(1, Number(wait[1])) * 1_000) : answerMs;
  return systemClock.now() + waitMs;
}
