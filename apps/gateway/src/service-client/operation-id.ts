import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SecretKeys } from '@tocsin/core';

/** The last bytes of an identifier say whose it is; those before tell operations of one token apart. */
const MAC_BYTES = 6;
const NAME_BYTES = 16 - MAC_BYTES;

/**
 * The identifier of an operation of a token: a UUID (version 8, RFC 9562) of which 74 bits name the operation and 48 are a
 * MAC over the name and the token. So every gateway can tell whose an operation is without asking anyone.
 * @param name the same for an operation that is asked for again; absent: a new operation
 */
export function operationId([key]: SecretKeys, tokenId: string, name?: string): string {
  const bytes =
    name === undefined ? randomBytes(NAME_BYTES) : createHash('sha256').update(`${tokenId}:${name}`).digest();
  const named = bytes.subarray(0, NAME_BYTES);
  named[6] = (named[6]! & 0x0f) | 0x80;
  named[8] = (named[8]! & 0x3f) | 0x80;
  const hex = Buffer.concat([named, mac(key, tokenId, named)]).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** So much of a request's hash tells requests under one key apart. */
const TELLING = 16;

/**
 * How an operation is called before its caller: with the beginning of its request's hash where a key named it, since
 * several requests may come under one key, and only the first is carried out.
 */
export function operationName(
  id: string,
  { key, requestHash }: { key: string | undefined; requestHash: string },
): string {
  return key === undefined ? id : `${id}.${requestHash.slice(0, TELLING)}`;
}

/** Whether a recorded operation is for the request of this name; true where the name or the record does not say. */
export function isOfRequest(telling: string | undefined, recorded: string | undefined): boolean {
  return telling === undefined || recorded === undefined || recorded.startsWith(telling);
}

/** Whether an operation is one that this token asked for. */
export function isOperationOf(keys: SecretKeys, tokenId: string, id: string): boolean {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  if (bytes.length !== NAME_BYTES + MAC_BYTES) return false;
  const [named, proof] = [bytes.subarray(0, NAME_BYTES), bytes.subarray(NAME_BYTES)];
  return keys.some((key) => timingSafeEqual(proof, mac(key, tokenId, named)));
}

function mac(key: Buffer, tokenId: string, named: Buffer): Buffer {
  const text = `operation:${tokenId}:${named.toString('hex')}`;
  return createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES);
}
