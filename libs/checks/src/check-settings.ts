import type { Assertion, ChannelSpec, HttpSettings, MonitorSpec, TcpSettings } from '@tocsin/contracts';
import type { FieldError } from '@tocsin/core';
import { BadAssertion } from './http/assertion.ts';
import { compileAssertion } from './http/assertions.ts';
import { FRAMING } from './http/request.ts';
import { isAuthority } from './connect/authority.ts';
import { checkFamily } from './connect/names.ts';

/**
 * What a schema can't say about a monitor's settings: that its expressions compile, and that its fields go together.
 * @returns one error per field, empty when all is well; paths are JSON pointers (RFC 6901) into the specification
 */
export function checkSettings(spec: MonitorSpec): FieldError[] {
  switch (spec.kind) {
    case 'http':
      return [...httpErrors(spec.settings)];
    case 'tcp':
      return [...tcpErrors(spec.settings)];
    case 'heartbeat':
      return []; // its schedule is the business of whoever keeps it
  }
}

/** The same for a channel: that the authority that its receiver is trusted by can be read. */
export function checkChannel({ kind, settings }: ChannelSpec): FieldError[] {
  const at = kind === 'webhook' ? '' : '/smtp';
  const { tls } = kind === 'webhook' ? settings : settings.smtp;
  if (tls?.ca === undefined || isAuthority(tls.ca)) return [];
  return [{ path: `/settings${at}/tls/ca`, message: 'not a certificate in PEM form' }];
}

function* httpErrors(settings: HttpSettings): Generator<FieldError> {
  const url = new URL(settings.url);
  yield* familyErrors(url.hostname.replace(/^\[|\]$/g, ''), settings.ipFamily, '/settings/url');
  for (const name of Object.keys(settings.headers)) {
    const path = `/settings/headers/${pointer(name)}`;
    const lower = name.toLowerCase();
    if (FRAMING.has(lower)) yield { path, message: 'is set by the check itself: leave it out' };
    if (lower === 'authorization' && settings.auth)
      yield { path, message: 'give either this header or auth, not both' };
  }
  yield* rangeErrors(settings.acceptedStatus);
  if (settings.body !== undefined && settings.method === 'HEAD') {
    yield { path: '/settings/body', message: 'a HEAD request has no body' };
  }
  // A colon ends the user name (RFC 7617, section 2).
  if (settings.auth?.type === 'basic' && settings.auth.username.includes(':')) {
    yield { path: '/settings/auth/username', message: 'must not contain ":"' };
  }
  yield* tlsErrors(settings.tls);
  for (const [index, assertion] of settings.assertions.entries()) {
    yield* assertionErrors(assertion, settings, `/settings/assertions/${index}`);
  }
}

function* tcpErrors(settings: TcpSettings): Generator<FieldError> {
  yield* familyErrors(settings.host, settings.ipFamily, '/settings/host');
  if (settings.tls) yield* tlsErrors(settings.tls);
  for (const text of ['send', 'expect'] as const) {
    if (settings[text] === undefined || settings[`${text}Hex`] === undefined) continue;
    yield { path: `/settings/${text}Hex`, message: `give either this or ${text}, not both` };
  }
}

function* tlsErrors({ ca, cert, key }: HttpSettings['tls']): Generator<FieldError> {
  if (ca !== undefined && !isAuthority(ca)) yield { path: '/settings/tls/ca', message: NO_CERTIFICATE };
  if (cert !== undefined && !isAuthority(cert)) yield { path: '/settings/tls/cert', message: NO_CERTIFICATE };
  if (cert !== undefined && key === undefined) yield { path: '/settings/tls/key', message: 'is missing beside cert' };
  if (cert === undefined && key !== undefined) yield { path: '/settings/tls/cert', message: 'is missing beside key' };
}
const NO_CERTIFICATE = 'not a certificate in PEM form';

function* rangeErrors(ranges: readonly string[]): Generator<FieldError> {
  for (const [index, range] of ranges.entries()) {
    const [low, high] = range.split('-');
    if (high !== undefined && Number(high) < Number(low)) {
      yield { path: `/settings/acceptedStatus/${index}`, message: 'the range ends before it starts' };
    }
  }
}

function* assertionErrors(assertion: Assertion, settings: HttpSettings, at: string): Generator<FieldError> {
  if (assertion.type === 'body' || assertion.type === 'json') {
    if (settings.method === 'HEAD') yield { path: at, message: 'the answer to HEAD has no body to assert on' };
    if (settings.maxBodyBytes === 0) yield { path: at, message: 'needs the body, and maxBodyBytes is 0' };
  }
  if (assertion.type === 'certificate' && settings.url.startsWith('http:') && !settings.redirects.follow) {
    yield { path: at, message: 'an http:// address has no certificate' };
  }
  if ('op' in assertion && (assertion.op === 'exists' || assertion.op === 'absent') && assertion.value !== undefined) {
    yield { path: `${at}/value`, message: `has no meaning for ${assertion.op}: leave it out` };
  }
  try {
    compileAssertion(assertion);
  } catch (error) {
    if (!(error instanceof BadAssertion)) throw error;
    yield { path: `${at}/${error.field}`, message: error.message };
  }
}

function familyErrors(host: string, family: 'any' | '4' | '6', path: string): FieldError[] {
  try {
    checkFamily(host, family);
    return [];
  } catch {
    return [{ path, message: `is not an IPv${family} address, which ipFamily asks for` }];
  }
}

function pointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
