import { type Assertion, type HttpSettings, pointer } from '@tocsin/contracts';
import type { FieldError } from '@tocsin/core';
import { familyFaults } from '../connect/names.ts';
import { BadAssertion } from './assertion.ts';
import { compileAssertion } from './assertions.ts';
import { FRAMING } from './request.ts';

/** What is wrong with the settings of an HTTP check that its schema takes. */
export function* httpFaults(settings: HttpSettings): Generator<FieldError> {
  const url = new URL(settings.url);
  yield* familyFaults(url.hostname.replace(/^\[|\]$/g, ''), settings.ipFamily, '/url');
  for (const name of Object.keys(settings.headers)) {
    const path = `/headers${pointer([name])}`;
    const lower = name.toLowerCase();
    if (FRAMING.has(lower)) yield { path, message: 'is set by the check itself: leave it out' };
    if (lower === 'authorization' && settings.auth)
      yield { path, message: 'give either this header or auth, not both' };
  }
  yield* rangeFaults(settings.acceptedStatus);
  if (settings.body !== undefined && settings.method === 'HEAD') {
    yield { path: '/body', message: 'a HEAD request has no body' };
  }
  // A colon ends the user name (RFC 7617, section 2).
  if (settings.auth?.type === 'basic' && settings.auth.username.includes(':')) {
    yield { path: '/auth/username', message: 'must not contain ":"' };
  }
  for (const [index, assertion] of settings.assertions.entries()) {
    yield* assertionFaults(assertion, settings, `/assertions/${index}`);
  }
}

function* rangeFaults(ranges: readonly string[]): Generator<FieldError> {
  for (const [index, range] of ranges.entries()) {
    const [low, high] = range.split('-');
    if (high !== undefined && Number(high) < Number(low)) {
      yield { path: `/acceptedStatus/${index}`, message: 'the range ends before it starts' };
    }
  }
}

function* assertionFaults(assertion: Assertion, settings: HttpSettings, at: string): Generator<FieldError> {
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
