import { HIDDEN, monitorSpec } from '@tocsin/contracts';
import { isSealed, openSecret, Sealing, sealSecret, type SecretKeys } from '@tocsin/core';
import { withoutSecrets } from '@tocsin/edge';
import { describe, expect, it } from 'vitest';
import { sealSecrets, shownTo, shownWithin } from './secrets.ts';

const key: SecretKeys = [Buffer.alloc(32, 7)];
const sealing = new Sealing({ secret: key });
const spec = (settings: object) => ({ kind: 'http', settings: { url: 'https://a.example', ...settings } });
const refusal = (path: string) =>
  expect.objectContaining({ more: { fields: [expect.objectContaining({ path })] } }) as Error;

describe('secrets at the edge', () => {
  it('are sealed on their way in, and nothing else is', () => {
    const sealed = sealSecrets(spec({ auth: { type: 'basic', username: 'u', password: 'p' } }), sealing, {
      keeps: false,
    });
    const { auth, url } = sealed.settings as unknown as { auth: { username: string; password: string }; url: string };
    expect([url, auth.username]).toEqual(['https://a.example', 'u']);
    expect(openSecret(key, auth.password)).toBe('p');
  });

  it('header values are, where they are said to be or are credentials', () => {
    const given = { 'X-Api-Key': 'k', 'X-Team': { value: 't', secret: true }, accept: 'text/plain' };
    const sealed = sealSecrets(spec({ headers: given }), sealing, { keeps: false });
    const { headers } = sealed.settings as unknown as { headers: Record<string, string> };
    expect(isSealed(headers['X-Api-Key']!)).toBe(true);
    expect(openSecret(key, headers['X-Team']!)).toBe('t');
    expect(headers['accept']).toBe('text/plain');
  });

  it('a value that is already sealed is refused: it would be opened for whoever guesses where it goes', () => {
    const stolen = spec({ auth: { type: 'bearer', token: sealSecret(key, 'theirs') } });
    expect(() => sealSecrets(stolen, sealing, { keeps: false })).toThrow(refusal('/settings/auth/token'));
  });

  it('HIDDEN keeps what is there, and is refused where nothing can be', () => {
    const hidden = spec({ auth: { type: 'bearer', token: HIDDEN } });
    expect(sealSecrets(hidden, sealing, { keeps: true })).toEqual(hidden);
    expect(() => sealSecrets(hidden, sealing, { keeps: false })).toThrow(refusal('/settings/auth/token'));
  });

  it('in a patch they are checked in plain: a sealed line break would pass every later check', () => {
    const patch = { settings: { headers: { 'X-Api-Key': 'k\r\nX-Other: 1' } } };
    expect(() => sealSecrets(patch, sealing, { keeps: true })).toThrow(refusal('/settings/headers/X-Api-Key'));
    expect(() => sealSecrets({ settings: { auth: { token: '' } } }, sealing, { keeps: true })).toThrow(
      refusal('/settings/auth/token'),
    );
  });

  it('the longest is taken whatever its letters, and stays within the bound of what is sealed', () => {
    const long = (count: number) => spec({ auth: { type: 'basic', username: 'u', password: '密'.repeat(count) } });
    const sealed = sealSecrets(long(4_096), sealing, { keeps: false });
    expect(monitorSpec.safeParse({ ...sealed, name: 'a' }).error).toBeUndefined();
    expect(() => sealSecrets(long(4_097), sealing, { keeps: false })).toThrow(refusal('/settings/auth/password'));
  });

  it('are hidden on their way out, sealed or not', () => {
    const shown = shownTo({ role: 'admin' }, spec({ auth: { type: 'bearer', token: 'plain by accident' } }));
    expect(shown.settings).toMatchObject({ auth: { token: HIDDEN } });
  });

  it('no sealed text leaves, wherever it stands', () => {
    const text = JSON.stringify({ payload: JSON.stringify({ deep: sealSecret(key, 'secret') }), other: 1 });
    expect(JSON.parse(withoutSecrets(text))).toEqual({ payload: JSON.stringify({ deep: HIDDEN }), other: 1 });
  });

  it.each(['sealed:', 'sealed:v1:my own', `sealed:v1:${'x'.repeat(37)}`, 'sealed:v2:x'])(
    'but a text that begins so does: %s',
    (name) => {
      const text = JSON.stringify({ name });
      expect(withoutSecrets(text)).toBe(text);
    },
  );

  it.each(['Cookie', 'X-Other'])(
    'a header %s that is sealed already is refused, one that begins nearly so is not',
    (name) => {
      const stolen = spec({ headers: { [name]: sealSecret(key, 'theirs') } });
      expect(() => sealSecrets(stolen, sealing, { keeps: false })).toThrow(refusal(`/settings/headers/${name}`));
      expect(() => sealSecrets(spec({ headers: { [name]: 'sealed: no' } }), sealing, { keeps: false })).not.toThrow();
    },
  );
});

describe('what a caller sees', () => {
  const http = {
    kind: 'http',
    settings: {
      url: 'https://a.example/?key=s3cret',
      body: 's3cret',
      headers: { Cookie: 's3cret', Accept: 'x', 'X-Team': sealSecret(key, 's3cret') },
    },
  };
  const tcp = { kind: 'tcp', settings: { host: 'a', port: 1, send: 's3cret' } };
  const webhook = {
    kind: 'webhook',
    settings: { url: 'https://u:s3cret@hooks.example.org/s3cret?s3cret', secret: 's3cret' },
  };

  it.each([['viewer' as const], [undefined]])('as %s is nothing that a check sends besides', (role) => {
    const caller = role && { role };
    for (const one of [http, tcp, webhook]) {
      expect(JSON.stringify(shownTo(caller, one))).not.toContain('s3cret');
      expect(shownWithin(caller, { items: [{ monitor: { id: 'x', spec: one } }], n: 1, none: null })).toEqual({
        items: [{ monitor: { id: 'x', spec: shownTo(caller, one) } }],
        n: 1,
        none: null,
      });
    }
  });

  it('as a viewer is no setting of a kind that this version does not know', () => {
    const later = { kind: 'later', name: 'a', settings: { query: 's3cret', host: 'a', password: 's3cret' } };
    expect(shownTo({ role: 'viewer' }, later)).toEqual({ kind: 'later', name: 'a', settings: {} });
    expect(shownTo({ role: 'editor' }, later).settings).toMatchObject({ query: 's3cret', host: 'a' });
  });

  it('as an editor is all but the secrets', () => {
    const editor = { role: 'editor' as const };
    expect(shownTo(editor, http).settings).toEqual({
      ...http.settings,
      headers: { Cookie: HIDDEN, Accept: 'x', 'X-Team': { value: HIDDEN, secret: true } },
    });
    expect(shownTo(editor, tcp)).toEqual(tcp);
    expect(shownTo(editor, webhook).settings).toEqual({ url: 'https://hooks.example.org/…', secret: HIDDEN });
  });
});

describe('a webhook address', () => {
  const webhook = (url: string) => ({ kind: 'webhook', name: 'c', settings: { url } });

  it('as it was shown is passed on as one to keep, and refused where there is none', () => {
    const shown = webhook('https://hooks.example.org/…');
    expect(sealSecrets(shown, sealing, { keeps: true }).settings.url).toBe('kept+https://hooks.example.org/…');
    expect(() => sealSecrets(shown, sealing, { keeps: false })).toThrow(refusal('/settings/url'));
    expect(() => sealSecrets(webhook('kept+https://a/'), sealing, { keeps: false })).toThrow(refusal('/settings/url'));
  });

  it('that is sealed already is refused', () => {
    const stolen = webhook(`https://hooks.example.org/…#${sealSecret(key, 'https://theirs')}`);
    expect(() => sealSecrets(stolen, sealing, { keeps: true })).toThrow(refusal('/settings/url'));
  });
});
