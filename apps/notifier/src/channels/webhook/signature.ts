import { createHmac } from 'node:crypto';

/**
 * The `Tocsin-Signature` of a webhook: `t=<seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>">`. The time is signed too, so a
 * receiver can refuse what was recorded and is played again.
 * @param now ms since the epoch
 */
export function signatureOf(secret: string, body: string, now: number): string {
  const t = Math.floor(now / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}
