import { CheckFailure } from '../failure.ts';
import { span } from '../message-text.ts';
import { commonName, type PathCertificate } from './certificate-path.ts';
import { hostsNamedBy } from './identity.ts';

/** Why OpenSSL, or a comparison of ours, does not accept a certificate. */
export interface Refusal {
  /** OpenSSL's name for it, as Node gives it: `CERT_HAS_EXPIRED`, or `UNSPECIFIED` where Node has none. */
  code: string;
  /** OpenSSL's own sentence. */
  text: string;
}

/** A certificate that is for another host. */
export const OTHER_HOST: Refusal = { code: 'OTHER_HOST', text: 'hostname mismatch' };

/** What a certificate that was not accepted means. `path` begins with the server's own. */
export function certificateFailure(
  refusal: Refusal,
  path: readonly PathCertificate[],
  at: { name: string; now: number },
): CheckFailure {
  return new CheckFailure('tls', `tls: ${byCode(refusal.code, path, at) ?? byText(refusal, path)}`);
}

function byCode(
  code: string,
  path: readonly PathCertificate[],
  { name, now }: { name: string; now: number },
): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return expired(path, now);
    case 'CERT_NOT_YET_VALID':
      return notYetValid(path, now);
    case OTHER_HOST.code:
      return isFor(path, name);
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'certificate is self-signed';
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return 'certificate is signed by an authority that is not trusted';
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'certificate is signed by an unknown authority (or the server does not send the certificates in between)';
    case 'CERT_REVOKED':
      return 'certificate is revoked';
    case 'CERT_REJECTED':
      return 'certificate is rejected: its authority is marked as not for servers';
    case 'CERT_UNTRUSTED':
      return 'certificate is signed by an authority that is not trusted for servers';
    case 'CERT_SIGNATURE_FAILURE':
      return 'certificate has a signature that does not hold: it was changed, or another authority of that name signed it';
    case 'CERT_CHAIN_TOO_LONG':
      return 'certificate has too many certificates above it';
    case 'PATH_LENGTH_EXCEEDED':
      return 'certificate is below more intermediates than its authority allows (path length)';
    case 'INVALID_PURPOSE':
      return 'certificate is not meant for servers (its key usage, or that of a certificate above it)';
    case 'INVALID_CA':
      return notAnAuthority(path);
    default:
      return undefined;
  }
}

/** Node has no code for these. The sentences are those of X509_verify_cert_error_string in OpenSSL 3. */
function byText({ code, text }: Refusal, path: readonly PathCertificate[]): string {
  const lower = text.toLowerCase();
  if (/digest algorithm too weak|md too weak/.test(lower)) return weakSignature(path);
  if (/key too (weak|small)/.test(lower)) return weakKey(path);
  if (/invalid ca certificate/.test(lower)) return notAnAuthority(path);
  if (/has ca markings/.test(lower)) return 'certificate is one of an authority, not of a server';
  if (/subtree violation/.test(lower)) {
    return 'certificate is for a name that its authority may not sign for (name constraints)';
  }
  if (/name constraint|name syntax/.test(lower))
    return `certificate has name constraints that can't be checked (${lower})`;
  if (/unhandled critical extension/.test(lower)) return 'certificate has a critical extension that nobody here knows';
  if (/does not include (certificate signing|key usage)/.test(lower)) return notAnAuthority(path);
  if (/certificate purpose/.test(lower)) return byCode('INVALID_PURPOSE', path, { name: '', now: 0 })!;
  return `certificate is not accepted: ${text === '' ? code : lower}`;
}

function expired(path: readonly PathCertificate[], now: number): string {
  const old = path.find(({ certificate }) => certificate.validToDate.getTime() < now);
  if (!old) return "a certificate above the server's has expired";
  return `${old.name} expired ${span(now - old.certificate.validToDate.getTime())} ago`;
}

function notYetValid(path: readonly PathCertificate[], now: number): string {
  const early = path.find(({ certificate }) => certificate.validFromDate.getTime() > now) ?? path[0];
  if (!early) return 'certificate is not valid yet';
  return `${early.name} is not valid before ${early.certificate.validFromDate.toISOString()}`;
}

function isFor(path: readonly PathCertificate[], name: string): string {
  const hosts = hostsNamedBy(path[0]?.certificate);
  if (hosts.length === 0) return 'certificate names no host (subjectAltName is missing)';
  const shown = hosts.slice(0, MAX_NAMES).map((host) => host.slice(0, 80));
  const more = hosts.length > MAX_NAMES ? ` and ${hosts.length - MAX_NAMES} more` : '';
  return `certificate is for ${shown.join(', ')}${more}, not ${name}`;
}
const MAX_NAMES = 3;

const WEAK = /(md2|md4|md5|sha1|sha-1)(?![0-9])/i;

function weakSignature(path: readonly PathCertificate[]): string {
  for (const { name, certificate } of path) {
    const digest = WEAK.exec(certificate.signatureAlgorithm ?? '')?.[1]?.toUpperCase();
    if (digest) return `${name} is signed with ${digest.replace(/^SHA1$/, 'SHA-1')}, which is no longer safe`;
  }
  return 'certificate, or one above it, is signed with SHA-1 or MD5, which are no longer safe';
}

const SHORTEST_RSA_BITS = 2_048;

function weakKey(path: readonly PathCertificate[]): string {
  for (const { name, certificate } of path) {
    const { modulusLength: bits } = certificate.publicKey.asymmetricKeyDetails ?? {};
    if (bits !== undefined && bits < SHORTEST_RSA_BITS) return `${name} has a key of ${bits} bits, which is too short`;
  }
  return 'certificate, or one above it, has a key that is too short';
}

function notAnAuthority(path: readonly PathCertificate[]): string {
  // One that may not sign does not come into a path: it is then who has signed the last one there.
  const other = path.slice(1).find(({ certificate }) => !certificate.ca)?.certificate.subject;
  return `certificate is signed by ${commonName(other ?? path.at(-1)?.certificate.issuer ?? '')}, which is no authority`;
}
