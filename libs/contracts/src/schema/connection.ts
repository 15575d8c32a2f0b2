import { isCertificates, isSealed, keyPairProblem } from '@tocsin/core';
import { z } from 'zod';
import { HIDDEN, host, secret } from './fields.ts';
import { tightened } from './tolerant.ts';

/** Settings that kinds share: how a check connects, and how it judges. */

export const ipFamily = z
  .enum(['any', '4', '6'])
  .default('any')
  .meta({ title: 'IP family', description: 'Connects by addresses of this family alone' });

export const port = z.int().min(1).max(65_535).meta({ description: 'The port to connect to' });

export const severity = z.enum(['down', 'degraded']).default('down');

export const minDaysLeft = z.int().min(0).max(3650);

/** Certificates in PEM, one after the other. Versions before took any text that began like one, and it is stored. */
function certificates(o: { title: string; description: string }) {
  const begun = z.string().max(65_536).startsWith('-----BEGIN CERTIFICATE-----');
  return tightened(begun.refine(isCertificates, { error: 'not a certificate in PEM form' }), begun)
    .optional()
    .meta(o);
}

export const ca = certificates({
  title: 'Authorities',
  description: 'Authorities to trust in place of the usual ones: certificates in PEM, one after the other',
});

/** How a check speaks TLS, and whom it says that it is, to servers that ask clients for a certificate. */
export const tls = {
  verify: z.boolean().default(true).meta({ description: 'Whether the certificate of the server has to be valid' }),
  serverName: host.optional().meta({ description: 'The name that the certificate has to be for' }),
  ca,
  cert: certificates({
    title: 'Certificate',
    description: "The check's own certificate in PEM, with those in between; needs `key`",
  }),
  key: secret(16_384, { problem: keyProblem })
    .optional()
    .meta({
      title: 'Private key',
      description: `The private key of \`cert\` in PEM, not encrypted. Write-only: read back as ${HIDDEN}`,
    }),
};

interface Pair {
  cert?: string | undefined;
  key?: string | undefined;
}

/** Settings of TLS whose certificate and key go together. A key that is sealed or kept was looked at before. */
export function paired<S extends z.ZodType<Pair>>(schema: S): S {
  const strict = schema.superRefine(({ cert, key }: Pair, context) => {
    const say = (field: keyof Pair, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (cert !== undefined && key === undefined) say('key', 'is missing beside cert');
    if (cert === undefined && key !== undefined) say('cert', 'is missing beside key');
    if (cert === undefined || key === undefined || key === HIDDEN || isSealed(key)) return;
    const message = keyPairProblem(cert, key);
    if (message) say('key', message);
  });
  return tightened(strict, schema);
}

function keyProblem(value: string): string | undefined {
  if (value.startsWith('-----BEGIN ENCRYPTED')) return 'is encrypted: send it without its passphrase';
  return /^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(value) ? undefined : 'expected a private key in PEM';
}
