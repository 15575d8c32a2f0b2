import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext, type SecureContextOptions } from 'node:tls';
import { CheckFailure } from '../failure.ts';

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Certificates that are trusted, by their subject. */
export type Store = ReadonlyMap<string, readonly X509Certificate[]>;

/** A client's certificate and its key, in PEM. */
export interface ClientCertificate {
  cert: string;
  key: string;
}

/**
 * TLS settings that trust an authority in place of the usual ones. Costly: make it once. With a client's certificate they
 * hold an opened secret: make them for one check.
 * @throws CheckFailure `settings` when the key does not fit the certificate
 */
export function secureContextOf({ ca, client }: { ca: string | undefined; client?: ClientCertificate }): SecureContext {
  const context = contextOf({ ...(ca === undefined ? {} : { ca }), ...client });
  if (ca !== undefined) stores.set(context, storeOf(ca.match(BLOCK) ?? []));
  return context;
}

function contextOf(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw new CheckFailure('settings', 'settings: tls.key does not fit tls.cert', { cause });
  }
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
