import type { X509Certificate } from 'node:crypto';
import { CheckFailure } from '../failure.ts';
import { span } from '../words.ts';

/** What a certificate that was not accepted means. `code` is OpenSSL's or Node's name for it. */
export function certificateFailure(
  code: string,
  certificate: X509Certificate | undefined,
  at: { name: string; now: number },
): CheckFailure {
  return new CheckFailure('tls', `tls: ${explain(code, certificate, at)}`);
}

function explain(
  code: string,
  certificate: X509Certificate | undefined,
  { name, now }: { name: string; now: number },
): string {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return expired(certificate, now);
    case 'CERT_NOT_YET_VALID':
      return `certificate is not valid before ${certificate?.validFromDate.toISOString() ?? 'a later time'}`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `certificate is for ${names(certificate)}, not ${name}`;
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
    case 'INVALID_PURPOSE':
      return 'certificate is not meant for servers';
    default:
      return `certificate is not accepted (${code})`;
  }
}

function expired(certificate: X509Certificate | undefined, now: number): string {
  const ago = certificate ? now - certificate.validToDate.getTime() : 0;
  // The leaf is good: then it is one above it in the chain.
  if (ago <= 0) return 'a certificate in the chain has expired';
  return `certificate expired ${span(ago)} ago`;
}

const MAX_NAMES = 3;

function names(certificate: X509Certificate | undefined): string {
  const all = (certificate?.subjectAltName ?? '')
    .split(', ')
    .map((entry) => entry.replace(/^(DNS|IP Address):/, ''))
    .filter((entry) => entry !== '');
  if (all.length === 0) return 'no name at all';
  const shown = all.slice(0, MAX_NAMES).map((entry) => entry.slice(0, 80));
  return shown.join(', ') + (all.length > MAX_NAMES ? ` and ${all.length - MAX_NAMES} more` : '');
}

/** What a handshake that broke off means. */
export function handshakeFailure(error: NodeJS.ErrnoException & { reason?: string }): CheckFailure {
  return new CheckFailure('tls', `tls: ${broke(error)}`, { cause: error });
}

function broke(error: NodeJS.ErrnoException & { reason?: string }): string {
  const reason = (error.reason ?? error.message).toLowerCase();
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return 'the server closed the connection in the handshake';
  if (/wrong version number|packet length too long|http request|record layer failure/.test(reason)) {
    return 'the server does not speak TLS on this port';
  }
  if (/alert (number|protocol)|alert|handshake failure/.test(reason))
    return `the server refused the handshake (${reason})`;
  return `the handshake failed (${reason})`;
}
