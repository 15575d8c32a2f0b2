import { TargetRules } from '@tocsin/core';
import { describe, expect, test } from 'vitest';
import { connectFailure } from './connect/connect-failure.ts';
import { isOwnFailure } from './failure.ts';

const TO = { host: 'a.example', port: 80, targets: new TargetRules({}) };

function failed(code: string, address?: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code, ...(address === undefined ? {} : { address, port: 80 }) });
}

describe('whose failure it is', () => {
  test.each(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'])('%s is the prober’s own', (code) => {
    expect(isOwnFailure(connectFailure([failed(code, '127.0.0.1')], TO))).toBe(true);
  });

  test('no free local port is the prober’s own', () => {
    expect(isOwnFailure(connectFailure([failed('EADDRNOTAVAIL', '127.0.0.1')], TO))).toBe(true);
  });

  test('an address family that this host does not have is an address that can’t be reached', () => {
    const failure = connectFailure([failed('EADDRNOTAVAIL', '::1')], TO);
    expect(isOwnFailure(failure)).toBe(false);
    expect(failure.message).toBe('connect: address not available [::1]:80');
  });

  test('of several addresses all are named, with what came of each', () => {
    const errors = [failed('ECONNREFUSED', '::1'), failed('ECONNREFUSED', '127.0.0.1')];
    expect(connectFailure(errors, TO).message).toBe('connect: connection refused [::1]:80 and 127.0.0.1:80');
    expect(connectFailure([failed('ENETUNREACH', '2001:db8::1'), ...errors], TO).message).toBe(
      'connect: network unreachable [2001:db8::1]:80, connection refused [::1]:80 and 127.0.0.1:80',
    );
  });

  test('one of several that says that this machine is out of something decides', () => {
    const errors = [failed('ECONNREFUSED', '::1'), failed('EMFILE')];
    expect(isOwnFailure(connectFailure(errors, TO))).toBe(true);
  });
});
