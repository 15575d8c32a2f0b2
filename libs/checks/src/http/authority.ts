import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Whether a text holds certificates in PEM form, all of which can be read. OpenSSL ignores what it can't read. */
export function isAuthority(pem: string): boolean {
  const blocks = pem.match(BLOCK);
  if (!blocks || blocks.length !== pem.split('-----BEGIN ').length - 1) return false;
  try {
    for (const block of blocks) new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}

/** TLS settings that trust this authority in place of the usual ones. Costly: make it once. */
export function trusting(pem: string): SecureContext {
  return createSecureContext({ ca: pem });
}
