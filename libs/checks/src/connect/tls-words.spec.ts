import { describe, expect, it } from 'vitest';
import { alertFailure, handshakeFailure } from './handshake-failure.ts';
import { certificateFailure } from './tls-failure.ts';

describe('what OpenSSL says of a certificate, in words', () => {
  const said = (text: string, code = 'UNSPECIFIED') =>
    certificateFailure({ code, text }, [], { name: 'a.example', now: 0 }).message;

  it.each([
    ['permitted subtree violation', /may not sign for \(name constraints\)$/],
    ['excluded subtree violation', /may not sign for \(name constraints\)$/],
    ['unsupported name constraint type', /name constraints that can't be checked/],
    ['unhandled critical extension', /critical extension that nobody here knows$/],
    ['unsuitable certificate purpose', /not meant for servers/],
    ['CA signature digest algorithm too weak', /SHA-1 or MD5/],
    ['EE certificate key too weak', /key that is too short$/],
    ['invalid non-CA certificate (has CA markings)', /one of an authority, not of a server$/],
    ['explicit policy required or so', /^tls: certificate is not accepted: explicit policy required or so$/],
  ])('%s', (text, words) => {
    expect(said(text)).toMatch(words);
  });

  it('an unknown code without a sentence is still told', () => {
    expect(said('', 'NEW_CODE')).toBe('tls: certificate is not accepted: NEW_CODE');
  });
});

describe('what OpenSSL says of a handshake, in words', () => {
  const said = (reason: string) => handshakeFailure(Object.assign(new Error(reason), { reason })).message;

  it.each([
    ['wrong version number', 'tls: the server does not speak TLS on this port'],
    [
      'tlsv13 alert certificate required',
      'tls: the server wants a client certificate (tls.cert and tls.key) (alert certificate required)',
    ],
    ['tlsv1 alert protocol version', 'tls: the server refuses TLS 1.2 and TLS 1.3 (alert protocol version)'],
    ['tlsv1 alert unknown ca', 'tls: the server does not accept the client certificate (alert unknown ca)'],
    ['tlsv1 unrecognized name', 'tls: the server knows no host of this name (tlsv1 unrecognized name)'],
    ['dh key too small', "tls: the server's Diffie-Hellman key is too short (dh key too small)"],
    ['something new', 'tls: the handshake failed (something new)'],
  ])('%s', (reason, words) => {
    expect(said(reason)).toBe(words);
  });

  it('an alert after the handshake is told from a connection that broke', () => {
    const alert = Object.assign(new Error('x'), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' });
    expect(alertFailure(alert)?.reason).toBe('tls');
    expect(alertFailure(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBeUndefined();
  });
});
