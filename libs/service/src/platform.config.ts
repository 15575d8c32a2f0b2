import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { SecretKeys } from '@tocsin/core';
import { z } from 'zod';
import { commaList, environment, milliseconds, variable, wholeNumber } from './env.ts';

const url = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) => protocols.some((protocol) => text.startsWith(`${protocol}://`) && URL.canParse(firstHost(text))),
      {
        error: `must be an address that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`,
      },
    );

const urls = (...protocols: string[]) =>
  commaList.pipe(
    z
      .array(url(...protocols))
      .min(1)
      .max(20),
  );

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}

const MOST_KEYS = 3;

/** Keys of 32 bytes, written in base64 (`openssl rand -base64 32` makes one), with commas in between: see `SecretKeys`. */
export const secretKeys = z.string().transform((text, ctx): SecretKeys => {
  const [first, ...others] = text.split(',').map((part) => Buffer.from(part.trim(), 'base64'));
  if (first?.length === 32 && others.length < MOST_KEYS && others.every((key) => key.length === 32)) {
    return [first, ...others];
  }
  ctx.addIssue('must be 32 bytes in base64 (openssl rand -base64 32 makes one), or up to three such keys with commas');
  return z.NEVER;
});

/** One to three keys of a curve as their DER bytes in base64, with commas in between. */
const curveKeys = (curve: 'ed25519' | 'x25519', read: (der: Buffer) => KeyObject, what: string) =>
  z.string().transform((text, ctx): KeyObject[] => {
    try {
      const keys = text.split(',').map((part) => read(Buffer.from(part.trim(), 'base64')));
      if (keys.length <= MOST_KEYS && keys.every((key) => key.asymmetricKeyType === curve)) return keys;
    } catch {
      // Said below.
    }
    ctx.addIssue(
      `must be ${what} in DER, written in base64 (docs/operations.md says how to make one), or up to three such keys with commas`,
    );
    return z.NEVER;
  });

const pkcs8 = (key: Buffer): KeyObject => createPrivateKey({ key, format: 'der', type: 'pkcs8' });
const spki = (key: Buffer): KeyObject => createPublicKey({ key, format: 'der', type: 'spki' });

/** The private half of what seals secrets, X25519; while it is changed several. */
export const openingKeys = curveKeys('x25519', pkcs8, 'an X25519 key (PKCS #8)');
/** The public half, which seals. */
export const sealingKey = curveKeys('x25519', spki, 'a public X25519 key (SPKI)').transform(([key]) => key);

/** What every sub-service reads from the environment. */
export const platformSchema = environment({
  instance: variable(
    'TOCSIN_INSTANCE',
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'must be letters, digits, "-" and "_", at most 63')
      .optional(),
  ),
  httpHost: variable('TOCSIN_HTTP_HOST', z.string().default('127.0.0.1')),
  httpPort: variable('TOCSIN_HTTP_PORT', wholeNumber({ min: 0, max: 65_535 }).default(0)),
  natsUrls: variable('TOCSIN_NATS_URLS', urls('nats', 'tls').default(['nats://127.0.0.1:4222'])),
  natsUser: variable('TOCSIN_NATS_USER', z.string().optional()),
  natsPassword: variable('TOCSIN_NATS_PASSWORD', z.string().optional()),
  /** Who signed the certificates of NATS, Redis and PostgreSQL. */
  ca: variable('TOCSIN_CA', z.string().refine(isCertificate, { error: 'must be certificates in PEM' }).optional()),
  replicas: variable(
    'TOCSIN_REPLICAS',
    z
      .enum(['1', '3'], { error: 'must be 1 or 3' })
      .default('1')
      .transform((text) => (text === '3' ? (3 as const) : (1 as const))),
  ),
  redisUrl: variable('TOCSIN_REDIS_URL', url('redis', 'rediss', 'redis+sentinel', 'rediss+sentinel').optional()),
  databaseUrl: variable('TOCSIN_DATABASE_URL', url('postgres', 'postgresql').optional()),
  databaseReplicaUrl: variable('TOCSIN_DATABASE_REPLICA_URL', url('postgres', 'postgresql').optional()),
  /** The keys that stored secrets are sealed with. */
  secret: variable('TOCSIN_SECRET', secretKeys.optional()),
  /** By which owners know that a gateway sent a command. */
  commandKeys: {
    sign: variable('TOCSIN_COMMAND_KEY', curveKeys('ed25519', pkcs8, 'an Ed25519 key (PKCS #8)').optional()),
    trust: variable('TOCSIN_COMMAND_PUBLIC_KEY', curveKeys('ed25519', spki, 'a public Ed25519 key (SPKI)').optional()),
    unsigned: variable(
      'TOCSIN_COMMAND_UNSIGNED',
      z.enum(['refuse', 'accept'], { error: 'must be refuse or accept' }).default('refuse'),
    ),
  },
  shutdownMs: variable('TOCSIN_SHUTDOWN_MS', milliseconds(100, 600_000).default(10_000)),
  drainGraceMs: variable('TOCSIN_DRAIN_GRACE_MS', milliseconds(0, 60_000).default(0)),
});

/** The platform's part of a service's configuration, with the names of this process. */
export type PlatformConfig = z.infer<typeof platformSchema> & { service: string; instance: string };

/** An address may list several hosts (`postgres://a:1,b:2/db`), which URL parsers refuse: only the first is looked at. */
function firstHost(text: string): string {
  return text.replace(/^([a-z+]+:\/\/(?:[^@/]*@)?[^,/]+)(?:,[^/]*)?/, '$1');
}
