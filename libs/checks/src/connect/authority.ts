import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Certificates that are trusted, by their subject. */
export type Store = ReadonlyMap<string, readonly X509Certificate[]>;

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
  const context = createSecureContext({ ca: pem });
  stores.set(context, storeOf(pem.match(BLOCK) ?? []));
  return context;
}

const stores = new WeakMap<SecureContext, Store>();
let usualContext: SecureContext | undefined;
let usualStore: Store | undefined;

/** TLS settings that trust the usual authorities. */
export function usual(): SecureContext {
  return (usualContext ??= createSecureContext());
}

/** What TLS settings trust. */
export function storeFor(context: SecureContext): Store {
  return stores.get(context) ?? (usualStore ??= storeOf(getCACertificates('default')));
}

function storeOf(pems: readonly string[]): Store {
  const store = new Map<string, X509Certificate[]>();
  for (const pem of pems) {
    const certificate = new X509Certificate(pem);
    store.set(certificate.subject, [...(store.get(certificate.subject) ?? []), certificate]);
  }
  return store;
}
