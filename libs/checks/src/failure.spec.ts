import { describe, expect, test } from 'vitest';
import { connectFailure } from './connect/connect-failure.ts';
import { isOwnFailure } from './failure.ts';

function failed(code: string, address?: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code, ...(address === undefined ? {} : { address, port: 80 }) });
}

describe('whose failure it is', () => {
  test.each(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'])('%s is the prober’s own', (code) => {
    expect(isOwnFailure(connectFailure(failed(code, '127.0.0.1'), 'a.example', 80))).toBe(true);
  });

  test('no free local port is the prober’s own', () => {
    expect(isOwnFailure(connectFailure(failed('EADDRNOTAVAIL', '127.0.0.1'), 'a.example', 80))).toBe(true);
  });

  test('an address family that this host does not have is an address that can’t be reached', () => {
    const failure = connectFailure(failed('EADDRNOTAVAIL', '::1'), 'a.example', 80);
    expect(isOwnFailure(failure)).toBe(false);
    expect(failure.message).toBe('connect: address not available [::1]:80');
  });

  test('of several addresses all that failed alike are named', () => {
    const errors = [failed('ECONNREFUSED', '::1'), failed('ECONNREFUSED', '127.0.0.1')];
    const error = Object.assign(new AggregateError(errors), { code: 'ECONNREFUSED' });
    expect(connectFailure(error, 'a.example', 80).message).toBe(
      'connect: connection refused [::1]:80 and 127.0.0.1:80',
    );
  });

  test('one of several that says that this machine is out of something decides', () => {
    const errors = [failed('ECONNREFUSED', '::1'), failed('EMFILE')];
    expect(isOwnFailure(connectFailure(new AggregateError(errors) as NodeJS.ErrnoException, 'a', 80))).toBe(true);
  });
});
