import { createHmac } from 'node:crypto';

/** Checks a webhook's `Tocsin-Signature` as a receiver would. */
export function signatureHolds(header: string | undefined, body: string, secret: string): boolean {
  const match = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? '');
  if (!match) return false;
  const fresh = Math.abs(Date.now() / 1_000 - Number(match[1])) < 300;
  return fresh && createHmac('sha256', secret).update(`${match[1]}.${body}`).digest('hex') === match[2];
}
