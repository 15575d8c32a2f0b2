import { describe, expect, it } from 'vitest';
import { isSecretField, mapSecrets } from './secrets.ts';

const monitor = {
  kind: 'http',
  name: 'shop',
  settings: {
    url: 'https://shop.example/',
    headers: { Accept: 'text/html', Authorization: 'Bearer x', 'X-Api-Key': 'k', Cookie: 'sid=1' },
    auth: { type: 'basic', username: 'u', password: 'p' },
    assertions: [{ type: 'header', name: 'set-cookie', op: 'equals', value: 'secret' }],
  },
};

describe('secrets', () => {
  it('are passwords, tokens, signing keys, and headers that are named like one', () => {
    const seen: string[] = [];
    mapSecrets(monitor, (value, path) => {
      seen.push(path);
      return value;
    });
    expect(seen).toEqual(['headers.Authorization', 'headers.X-Api-Key', 'headers.Cookie', 'auth.password']);
    expect(isSecretField('smtp.password')).toBe(true);
    expect(isSecretField('auth.token')).toBe(true);
    expect(isSecretField('secret')).toBe(true);
  });

  it.each(['headers.Accept', 'headers.X-Request-Id', 'auth.username', 'url', 'body', 'smtp.host'])(
    '%s is none',
    (path) => {
      expect(isSecretField(path)).toBe(false);
    },
  );

  it('are replaced in a copy; all else stays', () => {
    const before = structuredClone(monitor);
    const hidden = mapSecrets(monitor, () => '***');
    expect(monitor).toEqual(before);
    expect(hidden).toEqual({
      ...monitor,
      settings: {
        ...monitor.settings,
        headers: { Accept: 'text/html', Authorization: '***', 'X-Api-Key': '***', Cookie: '***' },
        auth: { type: 'basic', username: 'u', password: '***' },
      },
    });
  });

  it('in a patch are replaced too, and what it deletes (null) stays', () => {
    const patch = { settings: { auth: { password: 'new' }, headers: null, secret: null } };
    expect(mapSecrets(patch, () => '***')).toEqual({
      settings: { auth: { password: '***' }, headers: null, secret: null },
    });
  });

  it.each([[{}], [{ settings: null }], [{ settings: ['x'] }], ['text'], [null]])('where there are none: %j', (spec) => {
    expect(mapSecrets(spec, () => '***')).toBe(spec);
  });
});
