import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { TocsinError } from '../errors.ts';

const PREFIX = 'sealed:v1:';
const MAC_BYTES = 16;

/**
 * The keys of a deployment, TOCSIN_SECRET, 32 bytes each: the first one seals and proves, and what any of them has sealed or
 * proven holds. So a key can be changed while all runs: it is believed everywhere before it is used anywhere.
 */
export type SecretKeys = readonly [Buffer, ...Buffer[]];

/** Whether a text is a sealed secret, or begins like one. */
export function isSealed(text: string): boolean {
  return SEALED.test(text);
}
const SEALED = /^sealed:v[12]:/;

/**
 * An address that is secret but for its origin: `https://hooks.example.org/…#` and the sealed whole. So a reader that can't open it
 * still knows where it leads, and a reader that parses URLs takes it for one.
 */
export function isSealedAddress(text: string): boolean {
  return SEALED_ADDRESS.test(text);
}
const SEALED_ADDRESS = /^https?:\/\/[^/?#@\s]+\/…#sealed:v\d:[\w:-]+$/;

/** Encrypts a secret so that it may be stored and sent: AES-256-GCM with a fresh nonce. */
export function sealSecret([key]: SecretKeys, plain: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', subkey(key, 'seal'), nonce);
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return PREFIX + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/**
 * Decrypts what {@link sealSecret} made.
 * @throws TocsinError `invalid` when the text is not sealed, was changed, or was sealed with none of the keys
 */
export function openSecret(keys: SecretKeys, sealed: string): string {
  if (!sealed.startsWith(PREFIX)) throw new TocsinError('invalid', 'not a sealed secret');
  const raw = Buffer.from(sealed.slice(PREFIX.length), 'base64url');
  let cause: unknown;
  for (const key of keys) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', subkey(key, 'seal'), raw.subarray(0, 12));
      decipher.setAuthTag(raw.subarray(12, 28));
      return Buffer.concat([decipher.update(raw.subarray(28)), decipher.final()]).toString('utf8');
    } catch (error) {
      cause = error;
    }
  }
  throw new TocsinError('invalid', 'a sealed secret does not open: is TOCSIN_SECRET the one it was sealed with?', {
    cause,
  });
}

/**
 * The push key of a heartbeat monitor. It proves itself (HMAC-SHA-256 over the identifier), so an instance can accept
 * a heartbeat without asking the database.
 * @param keys those of heartbeats: see {@link heartbeatKeysOf}
 */
export function heartbeatKey([key]: SecretKeys, monitorId: string): string {
  return `${monitorId.replaceAll('-', '')}${mac(key, monitorId).toString('hex')}`;
}

/** The monitor that a heartbeat key belongs to, or undefined when the key is not one that we made. */
export function monitorOfHeartbeatKey(keys: SecretKeys, text: string): string | undefined {
  const match = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})([0-9a-f]{32})$/.exec(text);
  if (!match) return undefined;
  const monitorId = match.slice(1, 6).join('-');
  const proof = Buffer.from(match[6]!, 'hex');
  return keys.some((key) => timingSafeEqual(proof, mac(key, monitorId))) ? monitorId : undefined;
}

/**
 * The secret of an API token. It follows from the token's identifier (HMAC-SHA-256), so that a creation that is asked for
 * again is answered alike although the secret is stored nowhere; only a hash of it is, to find the token by.
 */
export function tokenSecret([key]: SecretKeys, tokenId: string): string {
  return `tsn_${createHmac('sha256', key).update(`token:${tokenId}`).digest('base64url')}`;
}

/** The keys of heartbeats as they follow from the deployment's secret, where they are not keys of their own. */
export function heartbeatKeysOf([first, ...others]: SecretKeys): SecretKeys {
  return [subkey(first, 'heartbeat'), ...others.map((key) => subkey(key, 'heartbeat'))];
}

function mac(key: Buffer, monitorId: string): Buffer {
  return createHmac('sha256', key).update(monitorId).digest().subarray(0, MAC_BYTES);
}

const subkeys = new WeakMap<Buffer, Map<string, Buffer>>();

/** One key per purpose, derived by HKDF (RFC 5869), so that what one use reveals is worth nothing to another. */
function subkey(key: Buffer, purpose: string): Buffer {
  let derived = subkeys.get(key);
  if (!derived) subkeys.set(key, (derived = new Map()));
  let value = derived.get(purpose);
  if (!value) derived.set(purpose, (value = Buffer.from(hkdfSync('sha256', key, '', `tocsin ${purpose}`, 32))));
  return value;
}
