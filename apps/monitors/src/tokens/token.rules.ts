import { createHash, createHmac } from 'node:crypto';

/**
 * The secret of a token. It follows from its identifier, so a repeated creation answers the same without the secret
 * being stored anywhere.
 * @param key the deployment's TOCSIN_SECRET
 */
export function secretOf(key: Buffer, tokenId: string): string {
  return `tsn_${createHmac('sha256', key).update(`token:${tokenId}`).digest('base64url')}`;
}

/** What a token is found by. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
