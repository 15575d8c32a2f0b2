import type { TargetGuard } from '@tocsin/core';
import { CheckFailure, ownFailure } from '../failure.ts';
import { at, refusedBy } from './refused-target.ts';

export interface ConnectError extends NodeJS.ErrnoException {
  address?: string;
  port?: number;
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EADDRNOTAVAIL: 'address not available',
  ETIMEDOUT: 'no answer from',
  EACCES: 'not permitted to connect to',
  EPERM: 'not permitted to connect to',
};

const MOST_NAMED = 8;

/**
 * What a connection that did not come about means. Every address that was tried is named, with what came of it.
 * @param refused addresses that were not tried, as the target's guard refuses them
 */
export function connectFailure(
  errors: readonly ConnectError[],
  to: { host: string; port: number; targets: TargetGuard },
  refused: readonly string[] = [],
): CheckFailure {
  const own = errors.map(ownFailure).find((failure) => failure !== undefined);
  if (own) return own;
  const places = new Map<string, string[]>();
  for (const error of errors.slice(0, MOST_NAMED)) {
    const what = WORDS[error.code ?? ''] ?? error.code ?? error.message;
    const where = at(error.address ?? to.host, error.port ?? to.port);
    places.set(what, [...(places.get(what) ?? []), where]);
  }
  const said = [...places].map(([what, where]) => `${what} ${where.join(' and ')}`).join(', ');
  const more = errors.length > MOST_NAMED ? ` and ${errors.length - MOST_NAMED} more addresses` : '';
  const [first] = refused;
  const left = first === undefined ? '' : ` (${at(first, to.port)} ${refusedBy(to.targets.refusal(first, to.port))})`;
  return new CheckFailure('connect', `connect: ${said}${more}${left}`, {
    cause: errors.length === 1 ? errors[0] : errors,
  });
}
