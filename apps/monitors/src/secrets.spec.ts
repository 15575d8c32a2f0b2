import { randomBytes } from 'node:crypto';
import { HIDDEN } from '@tocsin/contracts';
import { isSealed, openSecret, sealSecret, type SecretKeys } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { settleSecrets } from './secrets.ts';

const KEY: SecretKeys = [randomBytes(32)];
const spec = (secret: string, name = 'X.Api-Key') => ({
  settings: { url: 'http://x', headers: { [name]: secret, accept: 'text/html' } },
});

describe('settleSecrets', () => {
  it('keeps a sealed secret as it is', () => {
    const sealed = sealSecret(KEY, 's3cret');
    expect(settleSecrets(spec(sealed), undefined, KEY)).toEqual(spec(sealed));
  });

  it('puts the stored secret where HIDDEN stands', () => {
    const sealed = sealSecret(KEY, 's3cret');
    expect(settleSecrets(spec(HIDDEN), spec(sealed), KEY)).toEqual(spec(sealed));
  });

  it('seals a secret that arrives in plain', () => {
    const value = settleSecrets(spec('plain'), undefined, KEY).settings.headers['X.Api-Key']!;
    expect(isSealed(value)).toBe(true);
    expect(openSecret(KEY, value)).toBe('plain');
  });

  it('refuses HIDDEN where there is nothing to keep, and names the field', () => {
    const fields = [{ path: '/settings/headers/x~1Token', message: 'holds no secret yet: send one' }];
    expect(() => settleSecrets(spec(HIDDEN, 'x/Token'), spec('sealed', 'other-token'), KEY)).toThrow(
      expect.objectContaining({ code: 'invalid', fields }),
    );
  });
});
