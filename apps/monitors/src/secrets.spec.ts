import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { HIDDEN, keptAddress } from '@tocsin/contracts';
import { isSealed, openSecret, Sealing, sealSecret, type SecretKeys } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { settleSecrets } from './secrets.ts';

const KEY: SecretKeys = [randomBytes(32)];
const sealing = new Sealing({ secret: KEY });
const spec = (secret: string, name = 'Cookie') => ({
  kind: 'http',
  settings: { url: 'http://x', headers: { [name]: secret, accept: 'text/html' } },
});

describe('settleSecrets', () => {
  it('keeps a sealed secret as it is', () => {
    const sealed = sealSecret(KEY, 's3cret');
    expect(settleSecrets(spec(sealed), undefined, sealing)).toEqual(spec(sealed));
  });

  it('seals with the present key what a gateway has sealed with the one before, where it opens', () => {
    const pair = generateKeyPairSync('x25519');
    const both = new Sealing({ publicKey: pair.publicKey, secret: KEY });
    const [ofBefore, ofNobody] = [sealSecret(KEY, 's3cret'), sealSecret([randomBytes(32)], 's3cret')];
    const settled = settleSecrets(spec(ofBefore), undefined, both).settings.headers['Cookie']!;
    expect(new Sealing({ privateKeys: [pair.privateKey] }).open(settled)).toBe('s3cret');
    expect(settleSecrets(spec(ofNobody), undefined, both)).toEqual(spec(ofNobody));
  });

  it('puts the stored secret where HIDDEN stands', () => {
    const sealed = sealSecret(KEY, 's3cret');
    expect(settleSecrets(spec(HIDDEN), spec(sealed), sealing)).toEqual(spec(sealed));
  });

  it('seals a secret that arrives in plain', () => {
    const value = settleSecrets(spec('plain'), undefined, sealing).settings.headers['Cookie']!;
    expect(isSealed(value)).toBe(true);
    expect(openSecret(KEY, value)).toBe('plain');
  });

  it('refuses HIDDEN where there is nothing to keep, and names the field', () => {
    const fields = [{ path: '/settings/headers/x.y', message: 'holds no secret yet: send one' }];
    expect(() => settleSecrets(spec(HIDDEN, 'x.y'), spec('sealed', 'cookie'), sealing)).toThrow(
      expect.objectContaining({ code: 'invalid', fields }),
    );
  });
});

const monitor = (settings: object) => ({
  kind: 'http',
  name: 'm',
  settings: { url: 'https://a.example/', ...settings },
});
const bearer = (token: string) => ({ auth: { type: 'bearer', token } });

describe('a kept secret', () => {
  const sealed = sealSecret(KEY, 's3cret');
  const elsewhere = { url: 'https://evil.example/' };
  const refused = (...paths: string[]) =>
    expect.objectContaining({ code: 'invalid', fields: paths.map((path) => expect.objectContaining({ path })) });

  it('is refused where it would go elsewhere, each by its path', () => {
    const stored = monitor({ ...bearer(sealed), headers: { 'X-Team': sealed } });
    const sent = monitor({ ...elsewhere, ...bearer(HIDDEN), headers: { 'X-Team': { value: HIDDEN, secret: true } } });
    expect(() => settleSecrets(sent, stored, sealing)).toThrow(
      refused('/settings/auth/token', '/settings/headers/X-Team'),
    );
  });

  it('is refused in a patch as well, which leaves it where it is and moves the rest', () => {
    const patched = monitor({ ...elsewhere, ...bearer(sealed) });
    expect(() => settleSecrets(patched, monitor(bearer(sealed)), sealing)).toThrow(refused('/settings/auth/token'));
  });

  it('may be replaced on the move', () => {
    const moved = settleSecrets(monitor({ ...elsewhere, ...bearer('new') }), monitor(bearer(sealed)), sealing);
    expect(openSecret(KEY, (moved.settings as unknown as { auth: { token: string } }).auth.token)).toBe('new');
  });

  it('stays sealed when its header is sent again without saying that it is secret', () => {
    const stored = monitor({ headers: { 'X-My-Token': sealed } });
    const settled = settleSecrets(monitor({ headers: { 'X-My-Token': 'new' } }), stored, sealing);
    const { headers } = settled.settings as unknown as { headers: Record<string, string> };
    expect(openSecret(KEY, headers['X-My-Token']!)).toBe('new');
  });
});

describe('a webhook address that was shown', () => {
  const webhook = (url: string, secret?: string) => ({ kind: 'webhook', name: 'c', settings: { url, secret } });
  const stored = webhook('https://hooks.example.org/T0/B0', sealSecret(KEY, 'signs'));

  it('keeps the one that is there', () => {
    const sent = webhook(keptAddress('https://hooks.example.org/…'), HIDDEN);
    expect(settleSecrets(sent, stored, sealing)).toEqual(stored);
  });

  it.each([keptAddress('https://evil.example/…'), 'http://hooks.example.org/…'])('is refused as %s', (url) => {
    const refusal = expect.objectContaining({ fields: [expect.objectContaining({ path: '/settings/url' })] });
    expect(() => settleSecrets(webhook(url, 'new'), stored, sealing)).toThrow(refusal);
    expect(() => settleSecrets(webhook(url, 'new'), undefined, sealing)).toThrow(refusal);
  });

  it.each(['https://hooks.example.org/…', 'https://hooks.example.org/T0/B0'])(
    'does not stay where another may read it on its way, sent as %s',
    (url) => {
      const plain = webhook('https://hooks.example.org/T0/B0');
      const refusal = expect.objectContaining({ fields: [expect.objectContaining({ path: '/settings/url' })] });
      const sent = { ...plain, settings: { url, tls: { verify: false } } };
      expect(() => settleSecrets(sent, plain, sealing)).toThrow(refusal);
    },
  );

  it('is replaced by another one at the same place, with its signature kept', () => {
    const sent = webhook('https://hooks.example.org/T1', HIDDEN);
    expect(settleSecrets(sent, stored, sealing)).toEqual({
      ...stored,
      settings: { ...stored.settings, url: sent.settings.url },
    });
  });
});
