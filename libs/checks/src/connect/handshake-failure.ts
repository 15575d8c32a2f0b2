import { CheckFailure } from '../failure.ts';

type TlsError = NodeJS.ErrnoException & { reason?: string };

/** What a handshake that broke off means. */
export function handshakeFailure(error: TlsError): CheckFailure {
  return new CheckFailure('tls', `tls: ${broke(error)}`, { cause: error });
}

/**
 * What an error after the handshake means when it is an alert of TLS: with TLS 1.3 a server refuses a client's
 * certificate only then. Undefined for any other error.
 */
export function alertFailure(error: TlsError): CheckFailure | undefined {
  return /\balert\b/i.test(error.reason ?? '') || /_ALERT_/.test(error.code ?? '')
    ? handshakeFailure(error)
    : undefined;
}

/** Whether a server refused a handshake because it speaks none of the protocols that were offered (RFC 7301, section 3.2). */
export function refusesProtocols(failure: unknown): boolean {
  const { reason } = ((failure as Error).cause ?? {}) as TlsError;
  return failure instanceof CheckFailure && /no application protocol/i.test(reason ?? '');
}

/** What OpenSSL's reasons, and the alerts of RFC 8446 (section 6.2) among them, mean to whoever has to mend it. */
const MEANINGS: readonly [reason: RegExp, meaning: string][] = [
  [
    /wrong version number|packet length too long|http request|record layer failure/,
    'the server does not speak TLS on this port',
  ],
  [/certificate required/, 'the server wants a client certificate (tls.cert and tls.key)'],
  [
    /alert (bad certificate|certificate (unknown|expired|revoked)|unknown ca|unsupported certificate|access denied)/,
    'the server does not accept the client certificate',
  ],
  [/alert protocol version/, 'the server refuses TLS 1.2 and TLS 1.3'],
  [/unsupported protocol/, 'the server speaks an old TLS alone (1.1 or before), which is no longer safe'],
  [/no application protocol/, 'the server speaks no HTTP/1.1'],
  [/unrecognized name/, 'the server knows no host of this name'],
  [
    /alert (handshake failure|insufficient security)|no shared cipher|no ciphers available/,
    'the server has no cipher in common with the check, or wants a client certificate',
  ],
  [/dh key too small/, "the server's Diffie-Hellman key is too short"],
  [/legacy renegotiation/, 'the server does not know safe renegotiation (RFC 5746)'],
  [
    /wrong signature type|legacy sigalg|no suitable signature|no shared signature/,
    'the server signs the handshake in a way that is no longer safe',
  ],
  [/unexpected message|bad record mac|decode error|decrypt error|internal error/, 'the server failed in the handshake'],
];

function broke(error: TlsError): string {
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return 'the server closed the connection in the handshake';
  const reason = (error.reason ?? error.message)
    .toLowerCase()
    .replace(/^(ssl\/tls|sslv3|tlsv1|tlsv13) alert /, 'alert ');
  const meaning = MEANINGS.find(([pattern]) => pattern.test(reason))?.[1];
  if (meaning !== undefined) return meaning.includes('on this port') ? meaning : `${meaning} (${reason})`;
  return /alert/.test(reason) ? `the server refused the handshake (${reason})` : `the handshake failed (${reason})`;
}
