import { randomUUID } from 'node:crypto';
import { inboxPrefix } from '../contract.ts';

/**
 * A reply address that no other service can guess. Every service may publish to every inbox, so one that guessed it could
 * answer in another's place. NATS' own `createInbox` counts from a random start, so one address reveals the next ones.
 */
export function newInbox(of: { service: string }): string {
  return `${inboxPrefix(of)}.${randomUUID()}`;
}
