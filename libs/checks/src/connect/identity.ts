import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/**
 * Whether a certificate is for a host, by RFC 9525: only subjectAltName names hosts, never the common name. An address
 * must stand there as an address; a name as a name, of which the left-most label alone may be `*`, for one label.
 * @param name a name in its ASCII form, or an address
 */
export function isFor(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  return certificate.checkHost(name.replace(/\.$/, ''), RFC_9525) !== undefined;
}

const RFC_9525 = { subject: 'never', wildcards: true, partialWildcards: false, multiLabelWildcards: false } as const;

/** The hosts that a certificate names: `a.example`, `127.0.0.1`. */
export function hostsNamedBy(certificate: X509Certificate | undefined): string[] {
  return (certificate?.subjectAltName ?? '').split(', ').flatMap((entry) => {
    const name = /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1];
    return name === undefined ? [] : [name];
  });
}
