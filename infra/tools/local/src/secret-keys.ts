import { generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto';
import { type SecretKeyName, type ServiceName, services } from '@tocsin/contracts';

/** The two halves of what seals one sort of secrets: X25519, as DER in base64. */
export interface SealKeyPair {
  /** Opens. */
  key: string;
  /** Seals. */
  publicKey: string;
}

/** The keys of a deployment that secrets hang on, one for each purpose. */
export interface SecretKeySet {
  /** Of monitors: opened by probers. */
  checks: SealKeyPair;
  /** Of channels: opened by notifiers. */
  channels: SealKeyPair;
  /** 32 bytes in base64 each: what proves push keys, what requests are recognised by, what API tokens follow from. */
  heartbeat: string;
  request: string;
  token: string;
}

/**
 * New keys.
 * @param secret TOCSIN_SECRET of a deployment that an earlier version began: the addresses of its heartbeats go on
 */
export function newSecretKeys(secret?: string): SecretKeySet {
  return {
    checks: newPair(),
    channels: newPair(),
    heartbeat: secret === undefined ? bytes() : heartbeatOf(secret),
    request: bytes(),
    token: bytes(),
  };
}

/**
 * The keys that a sub-service needs, as its environment has them.
 * @param keys absent: a deployment that an earlier version began has its one secret and no other key
 */
export function secretKeysOf(
  service: ServiceName,
  { secretKeys: keys, secret }: { secretKeys?: SecretKeySet | undefined; secret?: string | undefined },
): Record<string, string> {
  const { secretKeys: names = [], opensFormerSecrets = false } = services[service];
  const former: Record<string, string> = secret === undefined ? {} : { TOCSIN_SECRET: secret };
  if (!keys) return names.length > 0 ? former : {};
  const values: Record<SecretKeyName, string> = {
    TOCSIN_CHECKS_KEY: keys.checks.key,
    TOCSIN_CHECKS_PUBLIC_KEY: keys.checks.publicKey,
    TOCSIN_CHANNELS_KEY: keys.channels.key,
    TOCSIN_CHANNELS_PUBLIC_KEY: keys.channels.publicKey,
    TOCSIN_HEARTBEAT_KEY: keys.heartbeat,
    TOCSIN_REQUEST_KEY: keys.request,
    TOCSIN_TOKEN_KEY: keys.token,
  };
  return { ...Object.fromEntries(names.map((name) => [name, values[name]])), ...(opensFormerSecrets ? former : {}) };
}

function newPair(): SealKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  return { key: privateKey.toString('base64'), publicKey: publicKey.toString('base64') };
}

function bytes(): string {
  return randomBytes(32).toString('base64');
}

/** As `heartbeatKeysOf` of libs/core has it. */
function heartbeatOf(secret: string): string {
  const keys = secret.split(',').map((part) => Buffer.from(part.trim(), 'base64'));
  return keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'tocsin heartbeat', 32)).toString('base64')).join();
}
