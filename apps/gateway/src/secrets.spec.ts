import { HIDDEN, monitorSpec } from '@tocsin/contracts';
import { isSealed, openSecret, sealSecret, type SecretKeys } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { withoutSecrets } from './edge/edge.interceptor.ts';
import { hideSecrets, sealSecrets } from './secrets.ts';

const key: SecretKeys = [Buffer.alloc(32, 7)];
const spec = (settings: object) => ({ kind: 'http', settings: { url: 'https://a.example', ...settings } });
const refusal = (path: string) =>
  expect.objectContaining({ more: { fields: [expect.objectContaining({ path })] } }) as Error;

describe('secrets at the edge', () => {
  it('are sealed on their way in, and nothing else is', () => {
    const sealed = sealSecrets(spec({ auth: { type: 'basic', username: 'u', password: 'p' } }), key, { keeps: false });
    const { auth, url } = sealed.settings as unknown as { auth: { username: string; password: string }; url: string };
    expect([url, auth.username]).toEqual(['https://a.example', 'u']);
    expect(openSecret(key, auth.password)).toBe('p');
  });

  it('header values are, where the name says that they are secret', () => {
    const sealed = sealSecrets(spec({ headers: { 'X-Api-Key': 'k', accept: 'text/plain' } }), key, { keeps: false });
    const { headers } = sealed.settings as unknown as { headers: Record<string, string> };
    expect(isSealed(headers['X-Api-Key']!)).toBe(true);
    expect(headers['accept']).toBe('text/plain');
  });

  it('a value that is already sealed is refused: it would be opened for whoever guesses where it goes', () => {
    const stolen = spec({ auth: { type: 'bearer', token: sealSecret(key, 'theirs') } });
    expect(() => sealSecrets(stolen, key, { keeps: false })).toThrow(refusal('/settings/auth/token'));
  });

  it('HIDDEN keeps what is there, and is refused where nothing can be', () => {
    const hidden = spec({ auth: { type: 'bearer', token: HIDDEN } });
    expect(sealSecrets(hidden, key, { keeps: true })).toEqual(hidden);
    expect(() => sealSecrets(hidden, key, { keeps: false })).toThrow(refusal('/settings/auth/token'));
  });

  it('in a patch they are checked in plain: a sealed line break would pass every later check', () => {
    const patch = { settings: { headers: { 'X-Api-Key': 'k\r\nX-Other: 1' } } };
    expect(() => sealSecrets(patch, key, { keeps: true })).toThrow(refusal('/settings/headers/X-Api-Key'));
    expect(() => sealSecrets({ settings: { auth: { token: '' } } }, key, { keeps: true })).toThrow(
      refusal('/settings/auth/token'),
    );
  });

  it('the longest is taken whatever its letters, and stays within the bound of what is sealed', () => {
    const long = (count: number) => spec({ auth: { type: 'basic', username: 'u', password: '密'.repeat(count) } });
    const sealed = sealSecrets(long(4_096), key, { keeps: false });
    expect(monitorSpec.safeParse({ ...sealed, name: 'a' }).error).toBeUndefined();
    expect(() => sealSecrets(long(4_097), key, { keeps: false })).toThrow(refusal('/settings/auth/password'));
  });

  it('are hidden on their way out, sealed or not', () => {
    const shown = hideSecrets(spec({ auth: { type: 'bearer', token: 'plain by accident' } }));
    expect(shown.settings).toMatchObject({ auth: { token: HIDDEN } });
  });

  it('no sealed text leaves, wherever it stands', () => {
    const text = JSON.stringify({ payload: JSON.stringify({ deep: sealSecret(key, 'secret') }), other: 1 });
    expect(JSON.parse(withoutSecrets(text))).toEqual({ payload: JSON.stringify({ deep: HIDDEN }), other: 1 });
  });
});
