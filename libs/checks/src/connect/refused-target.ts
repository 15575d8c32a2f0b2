import type { TargetGuard, TargetRefusal } from '@tocsin/core';
import { CheckFailure } from '../failure.ts';

/** An address and a port as they are written. */
export function at(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

interface Target {
  host: string;
  port: number;
  targets: TargetGuard;
}

/** The failure of a target to whose addresses this deployment opens no connection. The first of them is named. */
export function refusedTarget({ host, port, targets }: Target, addresses: readonly string[]): CheckFailure {
  const [address = host] = addresses;
  const which = host === address ? at(address, port) : `${host}, which is ${at(address, port)},`;
  return new CheckFailure('target', `target: ${which} ${refusedBy(targets.refusal(address, port))}`);
}

/** Which list refuses an address, and by which entry. */
export function refusedBy(refusal: TargetRefusal | undefined): string {
  if (!refusal) return 'is refused';
  const list = refusal.by === 'default' ? 'default (TOCSIN_TARGETS_ALLOW does not name it)' : refusal.by;
  return `is refused by ${list}: ${refusal.entry}`;
}
