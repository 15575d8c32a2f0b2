import { createHash } from 'node:crypto';

/** What a token is found by. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
