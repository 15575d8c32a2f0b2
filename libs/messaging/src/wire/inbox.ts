import { randomUUID } from 'node:crypto';
import { inboxPrefix } from '../contract.ts';

/**
 * An address for answers that nobody can guess. Any service may publish to any inbox, so whoever could guess one would
 * answer in another's place. NATS' own `createInbox` counts from a random start: who saw one knows the next ones.
 */
export function newInbox(of: { service: string }): string {
  return `${inboxPrefix(of)}.${randomUUID()}`;
}
