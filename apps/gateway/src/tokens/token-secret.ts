import { createHmac } from 'node:crypto';
import { token } from '@tocsin/contracts';

/**
 * Completes what is recorded of a token's creation: its secret is stored nowhere, and follows from its identifier and the
 * deployment's key. Anything that is not a token is returned as it is.
 */
export function withTokenSecret(key: Buffer, result: unknown): unknown {
  const parsed = token.safeParse(result);
  if (!parsed.success) return result;
  const secret = `tsn_${createHmac('sha256', key).update(`token:${parsed.data.id}`).digest('base64url')}`;
  return { ...parsed.data, secret };
}
