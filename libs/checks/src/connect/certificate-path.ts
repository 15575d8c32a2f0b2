import type { X509Certificate } from 'node:crypto';
import type { Store } from './authority.ts';

/** No server's path is longer, and what a server sends beyond is not looked at. */
const MOST_SENT = 20;

/** A certificate of a path. */
export interface PathCertificate {
  certificate: X509Certificate;
  /** As a message names it: `certificate` is the server's own, else `the intermediate M`. */
  name: string;
}

/**
 * The path from a server's certificate to one that is trusted, the server's own first, without the root. OpenSSL has
 * verified it, but does not tell which it took; this takes the same: an issuer that is trusted goes before one that the
 * server sent, and one that is valid now before one that is not. So whatever else the server sends, a root, a certificate
 * that another root has signed across, counts for nothing. Where nothing was verified, it goes as far as what was sent does.
 */
export function pathOf(leaf: X509Certificate, store: Store, now: number): PathCertificate[] {
  const others = sentBeside(leaf);
  const path: PathCertificate[] = [{ certificate: leaf, name: 'certificate' }];
  let current = leaf;
  while (!isRoot(current) && path.length < MOST_SENT) {
    const issuer = bestOf(store.get(current.issuer) ?? [], current, now) ?? bestOf(others, current, now);
    // A root is trusted for being in the store, and not for what it says of itself.
    if (!issuer || isRoot(issuer)) break;
    others.delete(issuer);
    path.push({ certificate: issuer, name: `the intermediate ${commonName(issuer.subject)}` });
    current = issuer;
  }
  return path;
}

/** The certificate of a path that ends first. */
export function endsFirst(path: readonly PathCertificate[]): PathCertificate {
  return path.reduce((first, each) =>
    each.certificate.validToDate.getTime() < first.certificate.validToDate.getTime() ? each : first,
  );
}

/** What a server sent beside its own certificate, in its order. */
function sentBeside(leaf: X509Certificate): Set<X509Certificate> {
  const sent = new Set<X509Certificate>();
  let next = leaf.issuerCertificate;
  while (next && next !== leaf && !sent.has(next) && sent.size < MOST_SENT) {
    sent.add(next);
    next = next.issuerCertificate;
  }
  return sent;
}

function bestOf(candidates: Iterable<X509Certificate>, of: X509Certificate, now: number): X509Certificate | undefined {
  let best: X509Certificate | undefined;
  for (const candidate of candidates) {
    if (!of.checkIssued(candidate)) continue;
    if (isValid(candidate, now)) return candidate;
    if (!best || candidate.validToDate.getTime() > best.validToDate.getTime()) best = candidate;
  }
  return best;
}

function isValid(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();
}

function isRoot(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.checkIssued(certificate);
}

/** The common name in a subject or an issuer, or the last part where it has none. */
export function commonName(name: string): string {
  const parts = name.split('\n');
  const part = parts.find((each) => each.startsWith('CN=')) ?? parts.at(-1) ?? '';
  return part.slice(part.indexOf('=') + 1).slice(0, 80);
}
